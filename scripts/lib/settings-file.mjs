// A settings.json of VS Code that a script adds to. Owns reading, merging and
// writing it; what the settings mean is the caller's matter. Only for profiles
// made by these scripts: a person's own file may hold comments, which are lost here.

import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Adds settings to the settings.json in a folder.
 * @param {string} folder @param {Record<string, unknown>} settings
 */
export async function mergeSettings(folder, settings) {
  const file = join(folder, "settings.json");
  await mkdir(folder, { recursive: true });
  const old = existsSync(file) ? JSON.parse(await readFile(file, "utf8")) : {};
  await writeFile(file, `${JSON.stringify({ ...old, ...settings }, null, 2)}\n`);
}
