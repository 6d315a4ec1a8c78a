/**
 * A network of its own for one program: a namespace with nothing but loopback in it, where a counter in the kernel sees
 * every packet for the upstream's ports that does not come from a proxy. The proxies run under Debian's account without
 * rights, and by that they are told apart. Needs root; knows no test.
 */
import { resolve } from "node:path";
import { daemonAccount, run } from "../../lib/processes.mjs";

const SYSTEM_PATHS = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/**
 * Runs a script of this folder in a namespace of its own and reads what it prints as JSON.
 * @param {string} script @returns {Promise<any>}
 */
export async function inOwnNetwork(script) {
  const file = resolve(import.meta.dirname, script);
  const up = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const { stdout } = await run("unshare", ["--net", ...up, process.execPath, file], {
    env: SYSTEM_PATHS,
    timeoutMs: 120_000,
  });
  return JSON.parse(stdout);
}

/** Begins to count; only for programs in a network of their own. @param {number[]} ports of the upstream */
export async function countDirectPackets(ports) {
  const account = daemonAccount();
  if (!account)
    throw new Error("Packets can be told apart only when the proxies have an account of their own: run as root.");
  // The first line makes the second succeed, so that a count always begins anew.
  const rules = `table inet witness
delete table inet witness
table inet witness {
  chain out {
    type filter hook output priority 0; policy accept;
    tcp dport { ${ports.join(", ")} } meta skuid != ${account.uid} counter
  }
}
`;
  await run("nft", ["-f", "-"], { input: rules, env: SYSTEM_PATHS });
}

/** @returns {Promise<number>} packets for the upstream so far that no proxy sent */
export async function directPackets() {
  const { stdout } = await run("nft", ["list", "chain", "inet", "witness", "out"], { env: SYSTEM_PATHS });
  return Number(/counter packets (\d+)/.exec(stdout)?.[1] ?? Number.NaN);
}
