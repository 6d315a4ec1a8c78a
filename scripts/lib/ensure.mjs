// Makes sure that the packages of package-lock.json are in node_modules, so that every script runs from a fresh
// clone. It owns this one question and must need no package itself: it runs before any is there.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's top folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Installs what package-lock.json names, unless it is there already. Throws when npm fails. */
export function ensureNodeModules() {
  if (installed()) return;
  console.log("Installing the development packages with `npm ci` (once).");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // npm.cmd is a batch file, which Node starts only through a shell.
  const result = spawnSync(npm, ["ci"], { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (result.status !== 0)
    throw new Error("`npm ci` failed; its messages above say why. Run this script again after mending that.");
}

/** npm notes what it installed in a lockfile of its own; packages for other platforms are missing there by right. */
function installed() {
  const noted = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(noted)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(noted, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional === true || present[path]?.version === entry.version,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureNodeModules();
