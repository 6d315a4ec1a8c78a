/**
 * Looks into the program's database from outside: the bytes of its files while it is written, and the rows of a table
 * by way of Python's sqlite3, which knows nothing of the program. It never writes.
 */
import { existsSync, readFileSync } from "node:fs";
import { run } from "./processes.mjs";

/** All that is in the files of a database, as text; nothing where there is none. @param {string} path */
export function stored(path) {
  const files = [path, `${path}-wal`].filter((file) => existsSync(file));
  return files.map((file) => readFileSync(file, "latin1")).join("\n");
}

const ROWS = `
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
print(json.dumps([row[0] for row in database.execute(f"SELECT id FROM {sys.argv[2]} ORDER BY rowid")]))
`;

/** The ids in a table, in their order; throws when the database is not whole. @param {string} path @param {string} table */
export async function rows(path, table) {
  const { stdout } = await run("python3", ["-c", ROWS, path, table]);
  return /** @type {string[]} */ (JSON.parse(stdout));
}
