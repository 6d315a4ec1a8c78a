// The one status bar item: shows what `statusText` says and opens the panel when clicked.

import * as vscode from "vscode";
import type { Snapshot, WindowRole } from "../../../native/addon/types.gen";
import { statusText } from "./statusText";
import { COMMANDS, statusTooltip } from "./statusTooltip";

export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  #shown = "";

  constructor(command: string) {
    this.#item = vscode.window.createStatusBarItem("geminiAggregator.status", vscode.StatusBarAlignment.Right, 100);
    this.#item.name = "Gemini Aggregator";
    this.#item.command = command;
    this.#item.show();
  }

  show(snapshot: Snapshot, role: WindowRole): void {
    const { text, spoken, failed } = statusText(snapshot);
    const tooltip = statusTooltip(snapshot, role);
    // A tooltip that is replaced while it is read closes: only a change is worth that.
    const shown = [text, spoken, tooltip].join("\n");
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#item.text = text;
    const markdown = new vscode.MarkdownString(tooltip, true);
    markdown.isTrusted = { enabledCommands: COMMANDS };
    this.#item.tooltip = markdown;
    this.#item.accessibilityInformation = { label: spoken, role: "button" };
    this.#item.backgroundColor = failed ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
  }

  dispose(): void {
    this.#item.dispose();
  }
}
