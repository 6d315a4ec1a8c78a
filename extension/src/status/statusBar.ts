// The one status bar item: shows what `statusText` says and opens the panel when clicked.

import * as vscode from "vscode";
import type { Snapshot, WindowRole } from "../../../native/addon/types.gen";
import { statusText } from "./statusText";

export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;

  constructor(command: string) {
    this.#item = vscode.window.createStatusBarItem("geminiAggregator.status", vscode.StatusBarAlignment.Right, 100);
    this.#item.name = "Gemini Aggregator";
    this.#item.command = command;
    this.#item.show();
  }

  show(snapshot: Snapshot, role: WindowRole): void {
    const { text, tooltip, failed } = statusText(snapshot, role);
    this.#item.text = text;
    this.#item.tooltip = tooltip;
    this.#item.accessibilityInformation = { label: tooltip, role: "button" };
    this.#item.backgroundColor = failed ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
  }

  dispose(): void {
    this.#item.dispose();
  }
}
