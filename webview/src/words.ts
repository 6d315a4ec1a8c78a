// The panel's words in the editor's language, which the extension wrote into the page as data. Must be loaded before any
// part of the panel; without such data everything stays English.

import * as l10n from "@vscode/l10n";

const data = document.getElementById("words")?.textContent ?? "{}";
l10n.config({ contents: JSON.parse(data) });
