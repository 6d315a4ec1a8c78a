/**
 * The examples of docs/configuration.md are accepted by the program as they stand, once what is the reader's own is
 * filled in.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { createAuthority } from "../lib/authority.mjs";
import { makeTempDir } from "../lib/temp.mjs";
import { runProgram } from "./lib/program.mjs";

const page = readFileSync(inRoot("docs", "configuration.md"), "utf8");
const [, setUps = ""] = page.split("## Common proxy set-ups");
const examples = [...setUps.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = ""]) => yaml);

test("every example for a proxy set-up is a configuration without problems", async (t) => {
  assert.ok(examples.length >= 6, `only ${examples.length} examples found`);
  const authority = await createAuthority();
  t.after(() => authority.dispose());
  const dir = makeTempDir("docs");
  t.after(dir.dispose);
  for (const example of examples) {
    let keys = 0;
    const filled = example
      .replaceAll("{key}", () => `test-key-alpha-000${++keys}`)
      .replaceAll(/\{(user|password)\}/g, "u")
      .replace("/etc/ssl/certs/company-ca.pem", authority.caFile);
    const file = join(dir.path, "keys.yaml");
    writeFileSync(file, keys === 0 ? `keys: [{ key: test-key-alpha-0001 }]\n${filled}` : filled);
    const { code, stdout, stderr } = await runProgram(["check", "--config", file]);
    assert.equal(code, 0, `${example}\n${stdout}${stderr}`);
  }
});
