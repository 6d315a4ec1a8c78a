// Shows the bundled panel outside the editor: every sample in every theme, as pictures under .cache/preview, for the
// eye of whoever changes its look. Run `node webview/preview/look.mjs` after `npm run build -- --bundles`. Fails when
// the page breaks its own content policy or reports an error.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import { openBrowser } from "../../scripts/lib/browser.mjs";
import { cacheDir, inRoot } from "../../scripts/lib/paths.mjs";
import { samples, sentAt } from "./sample.mjs";
import { themes } from "./themes.mjs";

const ORIGIN = "http://preview.test";
const folder = join(cacheDir, "preview");
const script = readFileSync(inRoot("extension", "out", "webview", "panel.js"), "utf8");
const html = await pageHtml();
const complaints = [];

mkdirSync(folder, { recursive: true });
const browser = await openBrowser({ profile: join(folder, "profile"), width: 1180, height: 900 });
try {
  for (const [theme, variables] of Object.entries(themes)) {
    for (const [name, snapshot] of Object.entries(samples)) await picture(name, snapshot, theme, variables, 1180);
  }
  await picture("narrow", samples.full, "dark", themes.dark, 560);
} finally {
  await browser.close();
}
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length === 0 ? 0 : 1;

/** The very page the extension makes, nonce and policy included. */
async function pageHtml() {
  const source = readFileSync(inRoot("extension", "src", "panel", "html.ts"), "utf8");
  const { code } = await transform(source, { loader: "ts", format: "esm" });
  const { panelHtml } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return panelHtml(`${ORIGIN}/panel.js`, "preview");
}

async function picture(name, snapshot, theme, variables, width) {
  const page = await browser.newPage();
  page.on("pageerror", (error) => complaints.push(`${name}, ${theme}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${name}, ${theme}: ${message.text()}`);
  });
  await page.setViewportSize({ width, height: 900 });
  await page.route(`${ORIGIN}/**`, (route) => {
    const isScript = route.request().url().endsWith(".js");
    return route.fulfill({ contentType: isScript ? "text/javascript" : "text/html", body: isScript ? script : html });
  });
  await page.addInitScript(actAsEditor, { snapshot, sentAt });
  await page.goto(`${ORIGIN}/`);
  await page.evaluate(applyTheme, { variables, theme });
  await page.getByTestId("panel").waitFor();
  // A thousand rows are no picture: what fits the window is.
  const fullPage = name !== "many";
  await page.screenshot({ path: join(folder, `${name}-${theme}.png`), fullPage });
  await page.close();
}

/** Runs in the page before its script: the editor's side of the webview, which answers "ready" with the sample. */
function actAsEditor(message) {
  window.acquireVsCodeApi = () => ({
    postMessage: (intent) => {
      if (intent.kind === "ready") window.postMessage({ kind: "state", ...message }, "*");
    },
    getState: () => undefined,
    setState: () => undefined,
  });
}

/** Runs in the page: sets the theme the way the editor does. */
function applyTheme({ variables, theme }) {
  document.body.classList.add(theme === "contrast" ? "vscode-high-contrast" : `vscode-${theme}`);
  for (const [name, value] of Object.entries(variables)) {
    document.documentElement.style.setProperty(`--vscode-${name}`, value);
  }
}
