// Offers Gemini to the editor's own chat where the editor has such a place. Editors built from VS Code may lack it, or
// keep it to themselves; there everything else works all the same.

import * as vscode from "vscode";
import type { Source } from "./modelList";
import { ChatProvider } from "./provider";

/** As in the manifest's `languageModelChatProviders`. */
export const VENDOR = "gemini-aggregator";

/** Undefined where the editor takes no models; `note` says why, when it gave a reason. */
export function offerToChat(source: Source, note: (message: string) => void): ChatProvider | undefined {
  if (typeof vscode.lm?.registerLanguageModelChatProvider !== "function") return undefined;
  const provider = new ChatProvider(source);
  try {
    provider.registered(vscode.lm.registerLanguageModelChatProvider(VENDOR, provider));
    return provider;
  } catch (error) {
    provider.dispose();
    note(`This editor takes no models from extensions: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
