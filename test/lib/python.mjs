/**
 * Where the bench's Python environment lies, which `test/setup.sh` makes. Says plainly when it is not there.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** @returns {string} the interpreter of the environment with the pinned packages */
export function pythonProgram() {
  const path = resolve(import.meta.dirname, "../../.cache/venv/bin/python");
  if (!existsSync(path)) throw new Error("The Python environment of the tests is missing. Run test/setup.sh first.");
  return path;
}
