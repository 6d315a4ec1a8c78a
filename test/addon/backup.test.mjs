/**
 * A backup through the addon: what leaves with a passphrase comes back whole in another host, its keys serve there, and
 * without one no secret leaves. The host's own check looks for secrets in everything that was said meanwhile.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startUpstream } from "../upstream/index.mjs";
import { ALPHA, ask, BETA, tokenOf } from "./lib/bench.mjs";
import { Host } from "./lib/host.mjs";

const PASSPHRASE = "correct horse battery";
const PROXY_PASSWORD = "proxy-password-3";
const FAR = `socks5h://tester:${PROXY_PASSWORD}@127.0.0.1:9`;
const SECRETS = [ALPHA, BETA, PROXY_PASSWORD, PASSPHRASE];

/** @param {Host} host what the user entered, without when it was assigned */
function entered(host) {
  const { keys, proxies } = host.snapshot();
  return {
    keys: keys.map(({ id, name, masked_key, enabled, project, weight, proxy_id, is_manual }) => {
      return { id, name, masked_key, enabled, project, weight, proxy_id, is_manual };
    }),
    proxies: proxies.map(({ id, name, masked_url, enabled }) => ({ id, name, masked_url, enabled })),
  };
}

/** A host with a proxy and two keys: one through it by hand, one pinned to none. @param {object} [settings] */
async function furnished(settings = {}) {
  const host = new Host({ settings, secrets: SECRETS });
  await host.serve();
  const far = await host.done({ kind: "add_proxy", url: FAR, name: "far" });
  const beta = await host.done({ kind: "add_key", key: BETA, name: "beta" });
  const alpha = await host.done({ kind: "add_key", key: ALPHA, name: "alpha", project: "p-1", weight: 7 });
  await host.done({ kind: "assign_proxy", key_id: beta, proxy_id: far });
  await host.done({ kind: "assign_proxy", key_id: alpha, proxy_id: null });
  return host;
}

/** @param {Host} host @param {string} [passphrase] @returns {Promise<string>} */
async function exported(host, passphrase) {
  const reply = await host.command({ kind: "export_backup", ...(passphrase ? { passphrase } : {}) });
  if (reply.kind !== "backup") throw new Error(reply.message);
  return reply.text;
}

describe("a backup with a passphrase", () => {
  test("comes back whole in another host, where its keys serve; a second time it writes nothing", async () => {
    const upstream = await startUpstream();
    const settings = { upstream: { baseUrl: upstream.httpUrl } };
    const source = await furnished(settings);
    const text = await exported(source, PASSPHRASE);
    const was = entered(source);
    await source.close();

    const target = new Host({ settings, secrets: SECRETS });
    const url = await target.serve();
    await target.done({ kind: "add_key", key: "test-key-other-0009", name: "other" });
    const preview = await target.command({ kind: "preview_backup", text, passphrase: PASSPHRASE });
    assert.equal(preview.kind, "backup_diff");
    assert.deepEqual(preview.kind === "backup_diff" && preview.diff.keys, {
      added: ["beta", "alpha"],
      changed: [],
      removed: ["other"],
    });
    assert.equal(target.snapshot().keys.length, 1, "a preview changes nothing");
    const writes = target.writes.length;
    assert.equal((await target.command({ kind: "import_backup", text, passphrase: PASSPHRASE })).kind, "backup_diff");
    assert.deepEqual(entered(target), was);
    assert.equal(target.writes.length, writes + 1, "restored in one write");
    const { status } = await ask(url, tokenOf(target), "alpha serves: beta's proxy is not there");
    assert.equal(status, 200);
    assert.equal(upstream.ledger.requests.at(-1)?.key, ALPHA);

    const again = await target.command({ kind: "import_backup", text, passphrase: PASSPHRASE });
    assert.match(again.message, /changed nothing/);
    assert.equal(target.writes.slice(writes + 1).flatMap((write) => write.writes).length, 0);
    assert.deepEqual(entered(target), was);
    await target.close();
    await upstream.close();
  });

  test("opens with no other one, and a refusal changes nothing", async () => {
    const host = await furnished();
    const text = await exported(host, PASSPHRASE);
    const was = entered(host);
    for (const passphrase of [undefined, "correct horse batterz"]) {
      const reply = await host.command({ kind: "import_backup", text, ...(passphrase ? { passphrase } : {}) });
      assert.equal(reply.kind === "refused" && reply.field, "passphrase", JSON.stringify(reply));
    }
    assert.deepEqual(entered(host), was);
    await host.close();
  });
});

test("a backup without a passphrase gives names, weights and assignments back and holds no secret", async () => {
  const host = await furnished();
  const text = await exported(host);
  for (const secret of [...SECRETS, "tester"]) assert.equal(text.includes(secret), false);
  const was = entered(host);
  const [beta, alpha] = was.keys.map(({ id }) => id);
  await host.done({ kind: "modify_key", id: alpha ?? "", name: "renamed", weight: 1 });
  await host.done({ kind: "unassign_proxy", key_id: alpha ?? "" });
  await host.done({ kind: "remove_key", id: beta ?? "" });
  const reply = await host.command({ kind: "import_backup", text });
  assert.equal(reply.kind, "backup_diff");
  assert.match((reply.kind === "backup_diff" && reply.diff.notes.join()) || "", /have no text.*"beta"/);
  assert.deepEqual(entered(host), { ...was, keys: was.keys.slice(1) });
  await host.close();
});

test("a list of proxies is added in one write, each line answered", async () => {
  const host = await furnished();
  const writes = host.writes.length;
  const reply = await host.command({
    kind: "add_proxies",
    text: `# mine\nnear=http://127.0.0.1:10\n${FAR}\nftp://x\n`,
  });
  assert.equal(reply.kind, "proxies_listed", reply.message);
  if (reply.kind !== "proxies_listed") return;
  assert.deepEqual(
    reply.entries.map(({ line, result }) => [line, result]),
    [
      [2, "added"],
      [3, "duplicate"],
      [4, "refused"],
    ],
  );
  assert.equal(host.writes.length, writes + 1);
  assert.deepEqual(
    host.snapshot().proxies.map(({ name }) => name),
    ["far", "near"],
  );
  await host.close();
});
