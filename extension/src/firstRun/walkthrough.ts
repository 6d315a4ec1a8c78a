// The walkthrough in the editor: opens it, once by itself and whenever asked, and tells the editor which of its steps are
// done. What those wait for, `progress.ts` says.

import * as vscode from "vscode";
import type { Snapshot } from "../../../native/addon/types.gen";
import { opensWalkthrough, type Progress, progressOf, WALKTHROUGH } from "./progress";

const DECIDED = "walkthroughDecided";

export class Walkthrough {
  readonly #context: vscode.ExtensionContext;
  readonly #set = new Map<string, boolean>();
  #decided: boolean;

  constructor(context: vscode.ExtensionContext) {
    this.#context = context;
    this.#decided = context.globalState.get(DECIDED) === true;
  }

  async open(): Promise<void> {
    const id = `${this.#context.extension.id}#${WALKTHROUGH}`;
    await vscode.commands.executeCommand("workbench.action.openWalkthrough", id, false);
  }

  /** Call with every snapshot. */
  update(snapshot: Snapshot): void {
    this.#mark(progressOf(snapshot));
    const opens = opensWalkthrough(snapshot, { decided: this.#decided, ...startSettings() });
    if (opens === undefined || this.#decided) return;
    this.#decided = true;
    void this.#context.globalState.update(DECIDED, true);
    if (opens) void this.open();
  }

  #mark(progress: Progress): void {
    for (const [name, value] of Object.entries(progress)) {
      if (this.#set.get(name) === value) continue;
      this.#set.set(name, value);
      void vscode.commands.executeCommand("setContext", `geminiAggregator.${name}`, value);
    }
  }
}

function startSettings() {
  const workbench = vscode.workspace.getConfiguration("workbench");
  return {
    startupEditor: workbench.get<string>("startupEditor", ""),
    openOnInstall: workbench.get<boolean>("welcomePage.walkthroughs.openOnInstall", true),
  };
}
