// The editor's dialogs behind the `Ui` interface: input boxes, quick picks, notifications, the clipboard. It must
// not know what is asked or why, and it never writes an answer anywhere: answers may be secrets.

import * as vscode from "vscode";
import type { Choice, Progress, TextQuestion, Ui } from "./ui";

const MENTION_MS = 6000;

const TELL = {
  info: vscode.window.showInformationMessage,
  warning: vscode.window.showWarningMessage,
  error: vscode.window.showErrorMessage,
} as const;

export const vscodeUi: Ui = {
  askText,
  async pick<T>(title: string, choices: readonly Choice<T>[]) {
    const picked = await vscode.window.showQuickPick([...choices], {
      title,
      matchOnDescription: true,
      matchOnDetail: true,
      // As with a box: what is chosen here is often looked up elsewhere first. It also outlasts a focus that comes late:
      // a webview left for the command palette takes it back a moment after the list has it.
      ignoreFocusOut: true,
    });
    return picked?.value;
  },
  async confirm(message, detail, action) {
    return (await vscode.window.showWarningMessage(message, { modal: true, detail }, action)) === action;
  },
  choose: async (message, detail, ...actions) =>
    vscode.window.showInformationMessage(message, { modal: true, detail }, ...actions),
  tell: async (level, message, ...actions) => TELL[level](message, ...actions),
  mention: (message) => void vscode.window.setStatusBarMessage(message, MENTION_MS),
  copy: async (text) => vscode.env.clipboard.writeText(text),
  pasted: async () => vscode.env.clipboard.readText(),
  async showDocument(language, content) {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language, content }));
  },
  progress,
  busy: async (title, work) =>
    vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, work),
};

async function progress<T>(title: string, work: (progress: Progress) => Promise<T>): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (shown, token) => {
    const stop = new AbortController();
    const listening = token.onCancellationRequested(() => stop.abort());
    try {
      return await work({ say: (message) => shown.report({ message }), signal: stop.signal });
    } finally {
      listening.dispose();
    }
  });
}

function askText(question: TextQuestion, step: string, problem?: string): Promise<string | undefined> {
  const box = vscode.window.createInputBox();
  box.title = step === "" ? question.title : `${question.title} (${step})`;
  box.prompt = question.prompt;
  box.placeholder = question.placeholder;
  box.value = question.value ?? "";
  box.password = question.secret ?? false;
  // Keys and proxy URLs are copied from elsewhere: leaving the window must not throw the half-filled form away.
  box.ignoreFocusOut = true;
  box.validationMessage = problem;
  return new Promise((resolve) => {
    const parts = [
      box,
      box.onDidChangeValue(() => {
        box.validationMessage = undefined;
      }),
      box.onDidAccept(() => finish(box.value)),
      box.onDidHide(() => finish(undefined)),
    ];
    const finish = (answer: string | undefined) => {
      resolve(answer);
      for (const part of parts) part.dispose();
    };
    box.show();
  });
}
