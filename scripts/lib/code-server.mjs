// Installs a real VS Code that runs in a browser (code-server, from npm) into
// the checkout's cache, together with the Node it needs. A finished installation
// is known by its folder's name, which carries both versions; work in progress
// lies in another folder. It must not know how the server is run or what for.

import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { arch, platform } from "node:process";
import { cacheDir } from "./paths.mjs";
import { must } from "./processes.mjs";
import { ensurePrograms, needs } from "./system-programs.mjs";

const CODE_SERVER = "4.139.1";
const NODE = "24.21.0";

/** The npm package that carries Node's binary and headers for this machine. */
const nodePackage = `node-${platform}-${arch}`;
const home = join(cacheDir, "code-server");

/**
 * @typedef {object} CodeServer
 * @property {string} node path of the Node binary that runs it
 * @property {string} entry path of its main script
 */

/**
 * The installed code-server; installs it first when it is missing.
 * Invariant: a folder under its final name is complete; it gets there by one rename.
 * @param {(line: string) => void} log
 * @returns {Promise<CodeServer>}
 */
export async function ensureCodeServer(log) {
  const final = join(home, `${CODE_SERVER}-node-${NODE}`);
  if (!existsSync(final)) {
    refuseWindows();
    await ensurePrograms(needs.nativeModules, "compile a part of VS Code for the browser", log);
    log(`Installing code-server ${CODE_SERVER} (a real VS Code for the browser); this takes about a minute, once.`);
    const unfinished = join(home, `unfinished-${process.pid}`);
    await rm(unfinished, { recursive: true, force: true });
    try {
      await install(unfinished, log);
      await moveIntoPlace(unfinished, final);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  return {
    node: nodeBinary(final),
    entry: join(final, "node_modules", "code-server", "out", "node", "entry.js"),
  };
}

/** @param {string} folder @param {(line: string) => void} log */
async function install(folder, log) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"private":true}\n');
  // Install scripts are left out because they build parts no test uses, against
  // headers they would first download; spdlog, which writes the logs, is built below.
  const npmInstall = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await must("npm", [...npmInstall, `code-server@${CODE_SERVER}`, `${nodePackage}@${NODE}`], {
    cwd: folder,
    timeoutMs: 300_000,
  });
  const vscode = join(folder, "node_modules", "code-server", "lib", "vscode");
  const extensions = join(vscode, "extensions");
  const env = environmentOf(folder);
  log("  … the editor itself is here; now its own dependencies.");
  await Promise.all(
    [vscode, extensions].map((cwd) => must("npm", [...npmInstall, "--omit=dev"], { cwd, env, timeoutMs: 300_000 })),
  );
  await must("node", ["postinstall.mjs"], { cwd: extensions, env, timeoutMs: 60_000 });
  await addScriptNames(join(vscode, "bin"));
  log("  … compiling the part of it that writes log files.");
  await must("npm", ["rebuild", "@vscode/spdlog", "--loglevel=error"], { cwd: vscode, env, timeoutMs: 300_000 });
}

/**
 * The names under which the server looks for its helper scripts, which
 * its install script would have linked.
 * @param {string} bin
 */
async function addScriptNames(bin) {
  const suffix = platform === "darwin" ? "darwin" : "linux";
  for (const [folder, name, source] of [
    ["remote-cli", "code-server", `code-${suffix}.sh`],
    ["helpers", "browser.sh", `browser-${suffix}.sh`],
  ]) {
    await cp(join(bin, folder, source), join(bin, folder, name), { force: true });
  }
}

/** @param {string} from @param {string} to */
async function moveIntoPlace(from, to) {
  try {
    await rename(from, to);
  } catch (error) {
    // Another script of this checkout may have finished the same work first.
    if (!existsSync(to)) throw error;
  }
}

/** @param {string} folder */
function nodeBinary(folder) {
  return join(folder, "node_modules", nodePackage, "bin", "node");
}

/**
 * npm under the new Node, compiling against the headers that came with it, so that node-gyp downloads nothing.
 * @param {string} folder
 */
function environmentOf(folder) {
  const package_ = join(folder, "node_modules", nodePackage);
  return {
    ...process.env,
    PATH: `${join(package_, "bin")}${delimiter}${process.env.PATH ?? ""}`,
    npm_config_nodedir: package_,
  };
}

function refuseWindows() {
  if (platform !== "win32") return;
  throw new Error(
    "VS Code for the browser cannot be installed from npm on Windows. Put `code` on PATH (in VS Code: \"Shell Command: Install 'code' command in PATH\") and try again.",
  );
}
