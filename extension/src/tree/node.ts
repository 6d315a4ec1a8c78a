// What the editor hands to a command that was chosen in the tree. Commands take plain arguments, so a row is turned
// into one here. The manifest offers them on the rows; a test compares.

/** Commands for one key or one proxy. */
export const ROW_COMMANDS: readonly string[] = [
  "testApiKey",
  "modifyApiKey",
  "enableApiKey",
  "disableApiKey",
  "removeApiKey",
  "testProxy",
  "editProxy",
  "removeProxy",
];

/** A row as the editor knows it: the same object as long as the row is there. */
export class TreeNode {
  readonly path: string;
  readonly target: string | undefined;

  constructor(path: string, target: string | undefined) {
    this.path = path;
    this.target = target;
  }
}

/** Commands for one entry get `{id}`. All others get nothing: the editor passes them whichever row has the focus. */
export function argumentOf(command: string, argument: unknown): unknown {
  if (!(argument instanceof TreeNode)) return argument;
  return ROW_COMMANDS.includes(command) && argument.target !== undefined ? { id: argument.target } : undefined;
}
