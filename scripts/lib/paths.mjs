// Where things lie inside the checkout. Every script and test harness takes its
// folders from here, so that nothing is ever written outside the checkout. It
// must not know what is inside those folders.

import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root. */
export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/** Downloads and tools that a fresh clone does not have; git ignores it. */
export const cacheDir = join(root, ".cache");

/** Packaged extensions. */
export const distDir = join(root, "dist");

/** What a run leaves behind (throw-away profiles, logs); git ignores it. */
export const runtimeDir = join(root, ".runtime");

/** @param {...string} parts */
export const inRoot = (...parts) => join(root, ...parts);
