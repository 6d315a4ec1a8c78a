// The panel's life in the editor: opened, revealed, brought back after a reload, fed with snapshots and asked for
// intents. What an intent leads to is a command; the page itself is the webview's business.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { ToPanel } from "../../../webview/src/protocol";
import type { App } from "../commands/command";
import { InvalidInput } from "../input/fields";
import { answerTo } from "./answers";
import { panelHtml } from "./html";
import { parseIntent } from "./intents";
import { Throttle } from "./throttle";

export const VIEW_TYPE = "geminiAggregator.panel";

/** At most four snapshots a second: more would only be work for the eyes and the renderer. */
const INTERVAL_MS = 250;

export class Panel implements vscode.Disposable {
  readonly #extension: vscode.Uri;
  readonly #app: App;
  readonly #fault: (message: string) => void;
  readonly #throttle = new Throttle(INTERVAL_MS, () => this.#send());
  #panel: vscode.WebviewPanel | undefined;

  constructor(extension: vscode.Uri, app: App, fault: (message: string) => void) {
    this.#extension = extension;
    this.#app = app;
    this.#fault = fault;
  }

  reveal(): void {
    const options = { enableScripts: true };
    if (this.#panel === undefined) {
      this.restore(vscode.window.createWebviewPanel(VIEW_TYPE, "Gemini Aggregator", vscode.ViewColumn.Active, options));
    } else {
      this.#panel.reveal();
    }
  }

  /** Takes over a panel that the editor kept open across a reload, or a new one. */
  restore(panel: vscode.WebviewPanel): void {
    this.#panel?.dispose();
    this.#panel = panel;
    const resources = vscode.Uri.joinPath(this.#extension, "extension", "out", "webview");
    panel.iconPath = vscode.Uri.joinPath(this.#extension, "media", "icon.png");
    panel.webview.options = { enableScripts: true, localResourceRoots: [resources] };
    const received = panel.webview.onDidReceiveMessage((message) => this.#receive(message));
    panel.onDidDispose(() => {
      received.dispose();
      if (this.#panel === panel) this.#panel = undefined;
    });
    const script = panel.webview.asWebviewUri(vscode.Uri.joinPath(resources, "panel.js")).toString();
    panel.webview.html = panelHtml(script, randomBytes(16).toString("base64"), vscode.env.language, vscode.l10n.bundle);
  }

  /** The state has changed. A hidden page is gone: it says "ready" when it is back. */
  update(): void {
    if (this.#panel?.visible) this.#throttle.request();
  }

  dispose(): void {
    this.#throttle.dispose();
    this.#panel?.dispose();
  }

  #send(): void {
    this.#post({ kind: "state", snapshot: this.#app.snapshot(), sentAt: Date.now() });
  }

  #post(message: ToPanel): void {
    void this.#panel?.webview.postMessage(message);
  }

  async #receive(message: unknown): Promise<void> {
    try {
      const answer = await answerTo(this.#app, parseIntent(message));
      if (answer !== undefined) this.#post(answer);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      this.#fault(error.message);
    }
    // Also when nothing changed: a select that the user turned must show what holds.
    this.#throttle.request();
  }
}
