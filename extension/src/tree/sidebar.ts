// The sidebar's tree: gives the editor the rows as it asks for them and says which have changed, at most four times a
// second and only while it is seen. What a row says is in `rows.ts`.

import * as vscode from "vscode";
import type { Snapshot } from "../../../native/addon/types.gen";
import { Throttle } from "../panel/throttle";
import { changesBetween } from "./changes";
import { TreeNode } from "./node";
import { counts, type Row, rowsOf } from "./rows";

export const VIEW_ID = "geminiAggregator.glance";
const UPDATE_MS = 250;
const COUNTING_MS = 1000;

export class Sidebar implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #snapshot: () => Snapshot;
  readonly #changes = new vscode.EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #throttle = new Throttle(UPDATE_MS, () => this.#refresh());
  readonly #view: vscode.TreeView<TreeNode>;
  #shown: readonly Row[] = [];
  /** By path: the rows as they are shown, and the objects that the editor knows them by. */
  #rows = new Map<string, Row>();
  #nodes = new Map<string, TreeNode>();
  #tick: ReturnType<typeof setInterval> | undefined;

  constructor(snapshot: () => Snapshot) {
    this.#snapshot = snapshot;
    this.#take(rowsOf(snapshot(), Date.now()));
    this.#view = vscode.window.createTreeView(VIEW_ID, { treeDataProvider: this });
    this.#view.onDidChangeVisibility(() => this.update());
  }

  /** Invariant: nothing is computed while nobody looks; becoming visible asks again. */
  update(): void {
    if (this.#view.visible) this.#throttle.request();
    this.#count();
  }

  getChildren(node?: TreeNode): TreeNode[] {
    const rows = node === undefined ? this.#shown : this.#rows.get(node.path)?.children;
    return (rows ?? []).map((row) => this.#nodeOf(row));
  }

  getParent(node: TreeNode): TreeNode | undefined {
    const parent = this.#shown.find(({ children }) => children?.some(({ path }) => path === node.path));
    return parent && this.#nodeOf(parent);
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const row = this.#rows.get(node.path);
    return row === undefined ? new vscode.TreeItem("") : itemOf(row);
  }

  dispose(): void {
    clearInterval(this.#tick);
    this.#throttle.dispose();
    this.#view.dispose();
    this.#changes.dispose();
  }

  #refresh(): void {
    const before = this.#shown;
    this.#take(rowsOf(this.#snapshot(), Date.now()));
    const changes = changesBetween(before, this.#shown);
    if (changes.kind === "everything") this.#changes.fire(undefined);
    else if (changes.paths.length > 0) this.#changes.fire(changes.paths.flatMap((path) => this.#nodes.get(path) ?? []));
  }

  #take(rows: readonly Row[]): void {
    const all = rows.flatMap((row) => [row, ...(row.children ?? [])]);
    this.#shown = rows;
    this.#rows = new Map(all.map((row) => [row.path, row]));
    this.#nodes = new Map(all.map((row) => [row.path, this.#nodeOf(row)]));
  }

  #nodeOf({ path, target }: Row): TreeNode {
    return this.#nodes.get(path) ?? new TreeNode(path, target);
  }

  /** A countdown goes on without news from the core. */
  #count(): void {
    const counting = this.#view.visible && counts(this.#snapshot());
    if (counting) this.#tick ??= setInterval(() => this.update(), COUNTING_MS);
    else {
      clearInterval(this.#tick);
      this.#tick = undefined;
    }
  }
}

function itemOf(row: Row): vscode.TreeItem {
  const { None, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(row.label, row.children === undefined ? None : Expanded);
  item.id = row.path;
  item.contextValue = row.kind;
  item.description = row.description;
  item.tooltip = row.tooltip;
  item.accessibilityInformation = { label: row.tooltip.replaceAll("\n", ", ") };
  item.iconPath = new vscode.ThemeIcon(
    row.icon.name,
    row.icon.color === undefined ? undefined : new vscode.ThemeColor(row.icon.color),
  );
  return item;
}
