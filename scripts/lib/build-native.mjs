// The native parts, built by cargo: the headless program and the addon. Both are built with the lockfile as it is, the
// addon by a profile of its own (a debug build with AGGREGATOR_PROFILE=dev). It knows where their files come out, not what they do.

import { inRoot, root } from "./paths.mjs";
import { must } from "./processes.mjs";
import { hostTarget, targetNamed } from "./targets.mjs";

const BUILD_MS = 30 * 60_000;
/** While the core is worked on: an addon that builds in a minute, several times as large and slow. */
const dev = process.env.AGGREGATOR_PROFILE === "dev";
const onOutput = (/** @type {string} */ text) => process.stderr.write(text);

/** `target/release/gemini-aggregator` */
export async function buildProgram() {
  const args = ["build", "--release", "--locked", "-p", "gemini-aggregator"];
  await must("cargo", args, { cwd: root, timeoutMs: BUILD_MS, onOutput });
}

/** The addon for one of VS Code's platforms; gives its file. @param {string} name */
export async function buildAddon(name) {
  const target = targetNamed(name);
  const napi = inRoot("node_modules", "@napi-rs", "cli", "dist", "cli.js");
  const args = [
    ...["build", ...(dev ? [] : ["--profile", "addon"]), "--platform", "--no-js"],
    ...["--manifest-path", inRoot("native", "addon", "Cargo.toml")],
    ...["--package-json-path", inRoot("package.json")],
    ...["--dts", "../index.d.ts"], // from the output folder
    ...["--output-dir", inRoot("native", "addon", "dist")],
    // Naming this machine's own target would build everything a second time, in a folder of its own.
    ...(name === hostTarget() ? [] : ["--target", target.rust]),
    ...["--", "--locked"],
  ];
  await must(process.execPath, [napi, ...args], { cwd: root, timeoutMs: BUILD_MS, onOutput });
  return inRoot("native", "addon", "dist", `aggregator.${target.napi}.node`);
}
