// The webview's one door to the extension: typed intents out, typed state in, and the small view state that the
// editor keeps while the page is hidden. Nothing else may touch the editor's webview API.

import type { Intent, ToPanel } from "./protocol";

/** What the user chose to see; kept by the editor, so it holds nothing of the snapshot. */
export type ViewState = { readonly requestsShown: boolean };

declare function acquireVsCodeApi(): {
  postMessage(message: Intent): void;
  getState(): ViewState | undefined;
  setState(state: ViewState): void;
};

const editor = acquireVsCodeApi();

export function send(intent: Intent): void {
  editor.postMessage(intent);
}

export function onState(receive: (message: ToPanel) => void): void {
  window.addEventListener("message", (event: MessageEvent<ToPanel>) => {
    if (event.data.kind === "state") receive(event.data);
  });
}

export function viewState(): ViewState {
  return editor.getState() ?? { requestsShown: true };
}

export function keepViewState(state: ViewState): void {
  editor.setState(state);
}
