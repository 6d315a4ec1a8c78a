// The editor's side of the settings: reads them, hears of changes, and can set the port. The mapping to the core's
// settings is in `settings.ts`.

import * as vscode from "vscode";
import type { LegacySettings, Settings } from "../../../native/addon/types.gen";
import { readSettings, SECTION } from "./settings";

export function currentSettings(): Settings {
  return readSettings(readSetting);
}

/** One setting as it is now. */
export function readSetting<T>(name: string): T {
  const value = vscode.workspace.getConfiguration(SECTION).get<T>(name);
  if (value === undefined) throw new Error(`The setting ${SECTION}.${name} is missing from the manifest.`);
  return value;
}

export function onSettingsChange(changed: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(SECTION)) changed();
  });
}

/** For this machine: the settings have machine scope, and no workspace may set them. */
export async function setPort(port: number): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update("port", port, vscode.ConfigurationTarget.Global);
}

/** Once, after an upgrade: a setting that the user has not set takes the earlier version's value. */
export async function adoptSettings(earlier: LegacySettings): Promise<void> {
  const section = vscode.workspace.getConfiguration(SECTION);
  for (const [name, value] of Object.entries(earlier)) {
    const setting = `proxy.${name}`;
    const isSet = section.inspect(setting)?.globalValue !== undefined;
    if (!isSet && section.get(setting) !== value) {
      await section.update(setting, value, vscode.ConfigurationTarget.Global);
    }
  }
}
