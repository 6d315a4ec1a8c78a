// The addon travels packed, as a .vsix alone would make it a quarter larger: it is unpacked once into a folder of the user's
// and loaded from there. The file's name tells which packed text it came from, so an update brings a new file and the
// old ones go. It must not know what the file is.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/**
 * The unpacked file of `packed` in `folder`, made when it is not there. Windows of one profile may do this at once:
 * each writes a file of its own and renames it, so that none loads half of one.
 */
export function unpacked(packed: string, folder: string): string {
  const bytes = readFileSync(packed);
  const name = `aggregator-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.node`;
  const file = join(folder, name);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const fresh = `${file}.${process.pid}`;
  try {
    writeFileSync(fresh, brotliDecompressSync(bytes), { mode: 0o700 });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    // Where a loaded file cannot be replaced, another window was faster.
    if (!existsSync(file)) throw error;
  }
  removeOthers(folder, name);
  return file;
}

/** A file that an editor of the version before has loaded may resist; the next update tries again. */
function removeOthers(folder: string, name: string): void {
  const others = readdirSync(folder).filter((other) => /^aggregator-[0-9a-f]+\.node$/.test(other) && other !== name);
  for (const other of others) {
    try {
      rmSync(join(folder, other), { force: true });
    } catch {
      // It is in use.
    }
  }
}
