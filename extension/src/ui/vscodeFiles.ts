// The editor's dialogs for files and its file systems behind the `Files` interface. It must not know what the texts are.

import { writeFile } from "node:fs/promises";
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import type { Files } from "./files";

const filters = () => ({ [l10n.t("Backup")]: ["json"] });
/** A backup holds secrets, if encrypted ones. */
const OWNER_ONLY = 0o600;

export const vscodeFiles: Files = {
  async askSave(title, name) {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const suggested = folder === undefined ? vscode.Uri.file(name) : vscode.Uri.joinPath(folder, name);
    const chosen = await vscode.window.showSaveDialog({ title, filters: filters(), defaultUri: suggested });
    return chosen?.toString();
  },
  async askOpen(title, kind) {
    const types = kind === "backup" ? filters() : {};
    const [chosen] = (await vscode.window.showOpenDialog({ title, filters: types, canSelectMany: false })) ?? [];
    return chosen?.toString();
  },
  at: (path) => vscode.Uri.file(path).toString(),
  shown(place) {
    const uri = vscode.Uri.parse(place);
    return uri.scheme === "file" ? uri.fsPath : uri.toString(true);
  },
  async write(place, text) {
    const uri = vscode.Uri.parse(place);
    if (uri.scheme === "file") return writeFile(uri.fsPath, text, { mode: OWNER_ONLY });
    return vscode.workspace.fs.writeFile(uri, Buffer.from(text));
  },
  async read(place, most) {
    const uri = vscode.Uri.parse(place);
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > most) throw new Error(l10n.t("The file has more than {0} MiB.", most >> 20));
    return Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8");
  },
};
