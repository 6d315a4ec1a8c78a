// The webview's one door to the extension: typed intents out, typed messages in, and the small view state that the
// editor keeps while the page is hidden. Nothing else may touch the editor's webview API.

import type { Intent, ToPanel } from "./protocol";
import type { Sort } from "./rows/sort";

/** What the user chose to see; kept by the editor, so it holds nothing of the snapshot. */
export type ViewState = {
  readonly requestsShown: boolean;
  readonly overviewShown: boolean;
  readonly keySort: Sort | null;
  readonly proxySort: Sort | null;
};

declare function acquireVsCodeApi(): {
  postMessage(message: Intent): void;
  getState(): Partial<ViewState> | undefined;
  setState(state: ViewState): void;
};

const editor = acquireVsCodeApi();
const untouched: ViewState = { requestsShown: true, overviewShown: true, keySort: null, proxySort: null };

export function send(intent: Intent): void {
  editor.postMessage(intent);
}

/** Gives a function that stops listening. */
export function onMessage(receive: (message: ToPanel) => void): () => void {
  const listener = (event: MessageEvent<ToPanel>) => receive(event.data);
  window.addEventListener("message", listener);
  return () => window.removeEventListener("message", listener);
}

export function viewState(): ViewState {
  return { ...untouched, ...editor.getState() };
}

export function keepViewState(change: Partial<ViewState>): void {
  editor.setState({ ...viewState(), ...change });
}
