// The JavaScript of the .vsix: the extension for the host's Node and the panel for the webview, each one file, with
// the addon laid beside the first. Knows esbuild's options; nothing about Rust or packaging.

import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { inRoot } from "./paths.mjs";

const out = inRoot("extension", "out");

/** The oldest editor supported runs Node 20; its webviews are a Chromium of that time. */
const builds = [
  {
    entryPoints: [inRoot("extension", "src", "extension.ts")],
    outfile: join(out, "extension.js"),
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["vscode", "*.node"],
    minify: true,
    // A stack in a report must name what failed.
    keepNames: true,
  },
  {
    entryPoints: [inRoot("webview", "src", "main.ts")],
    outfile: join(out, "webview", "panel.js"),
    platform: "browser",
    format: "esm",
    target: "chrome120",
    minify: true,
  },
];

export async function bundle() {
  // Imported late: a fresh clone has no packages when this file is loaded.
  const esbuild = await import("esbuild");
  for (const options of builds) {
    await esbuild.build(
      /** @type {import("esbuild").BuildOptions} */ ({
        ...options,
        bundle: true,
        sourcemap: true,
        logLevel: "warning",
      }),
    );
  }
}

/**
 * Lays the addon where the bundle looks for it. Renamed into place: an editor that has the old file loaded keeps it,
 * where overwriting the file would end that editor's process.
 * @param {string} addon
 */
export async function placeAddon(addon) {
  await mkdir(out, { recursive: true });
  const fresh = join(out, `aggregator.${process.pid}.node`);
  await copyFile(addon, fresh);
  await rename(fresh, join(out, "aggregator.node")).finally(() => rm(fresh, { force: true }));
}

/**
 * The addon as it travels: a quarter smaller than the .vsix alone would pack it. The extension unpacks it (`core/unpack.ts`).
 * @param {string} addon
 */
export async function packAddon(addon) {
  const bytes = await readFile(addon);
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
  await writeFile(join(out, "aggregator.node.br"), await promisify(brotliCompress)(bytes, { params }));
}
