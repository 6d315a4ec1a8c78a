// Fills a fresh profile with the demo's example keys and proxies, by the same
// public commands that a person's keybindings would call. Which ones, the
// settings of the demo's profile say. It must not know the product beyond those
// commands' names; what a command refuses (all is there already), it ignores.

const vscode = require("vscode");

exports.activate = async () => {
  const steps = vscode.workspace.getConfiguration("geminiAggregatorDemo").get("steps", []);
  for (const { command, argument } of steps) await vscode.commands.executeCommand(command, argument);
};
