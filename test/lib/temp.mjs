/**
 * Temporary directories that vanish with the test, also when it fails. A directory may be given to the account under
 * which the bench runs its daemons, since root would otherwise own files they must write. Knows nothing of the daemons.
 */
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @typedef {{uid: number, gid: number}} Account */

const alive = new Set();
process.on("exit", () => {
  for (const path of alive) rmSync(path, { recursive: true, force: true });
});

/**
 * @param {string} name shows up in the directory's name
 * @param {{owner?: Account}} [options]
 * @returns {{path: string, write: (file: string, text: string) => string, dispose: () => void}}
 */
export function makeTempDir(name, { owner } = {}) {
  const path = mkdtempSync(join(tmpdir(), `aggregator-${name}-`));
  chmodSync(path, 0o755);
  if (owner) chownSync(path, owner.uid, owner.gid);
  alive.add(path);
  return {
    path,
    /** Writes a file that the owner may change, and returns its path. */
    write(file, text) {
      const full = join(path, file);
      writeFileSync(full, text);
      if (owner) chownSync(full, owner.uid, owner.gid);
      return full;
    },
    dispose() {
      alive.delete(path);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
