/**
 * Run in a network of its own: a fleet under each failure policy, first whole, then with every proxy dead, then with the
 * upstream dead behind living proxies. Prints what clients met and how many packets went past the proxies each time, as
 * one line of JSON; whether that is right is its reader's business.
 */
import { accepts } from "../../lib/wait.mjs";
import { startDanted, startTinyproxy } from "../../proxies/index.mjs";
import { startUpstream } from "../../upstream/index.mjs";
import { Bench, MODEL, prompt } from "./bench.mjs";
import { countDirectPackets, directPackets } from "./namespace.mjs";
import { events } from "./traffic.mjs";

const KEYS = [1, 2, 3, 4].map((number) => ({ name: `key-${number}`, key: `test-key-fleet-000${number}` }));

/** @typedef {import("./gateway.mjs").Gateway} Gateway */

/** Twelve requests, and the packets that went past the proxies for them. @param {Gateway} gateway */
async function met(gateway) {
  const before = await directPackets();
  /** @type {{status: number, proxy: string, words: string, told: string}[]} */
  const answers = [];
  for (let i = 0; i < 12; i += 1) {
    const answer = await gateway.ask(`${MODEL}:generateContent`, { body: prompt(`number ${i}`) });
    const words = await answer.text();
    const proxy = String(answer.headers["x-aggregator-proxy"] ?? "");
    answers.push({ status: answer.status, proxy, words, told: await gateway.logged(answer) });
  }
  return { answers, packets: (await directPackets()) - before };
}

/** @param {Gateway} gateway */
const told = (gateway) => events(gateway).map(({ event, message }) => ({ event, message }));

/** @param {string} failurePolicy */
async function deadProxies(failurePolicy) {
  const bench = await Bench.start();
  await countDirectPackets([bench.upstream.httpPort, bench.upstream.httpsPort]);
  const proxies = [await startDanted(), await startTinyproxy()];
  const gateway = await bench.gateway(configuration(failurePolicy, proxies), { baseUrl: bench.upstream.httpsUrl });
  const alive = await met(gateway);
  for (const proxy of proxies) await proxy.stop();
  const { ledger } = bench.upstream;
  await ledger.settled(({ connections }) => connections.open === 0);
  ledger.clear();
  const dead = await met(gateway);
  const connections = ledger.connections.total;
  await gateway.stop();
  await bench.stop();
  return { alive, dead, connections, events: told(gateway) };
}

/** @param {string} failurePolicy */
async function deadUpstream(failurePolicy) {
  const bench = await Bench.start();
  const upstream = await startUpstream({ authority: bench.authority });
  await countDirectPackets([upstream.httpPort, upstream.httpsPort]);
  const proxies = [await bench.proxy(startDanted()), await bench.proxy(startTinyproxy())];
  const gateway = await bench.gateway(configuration(failurePolicy, proxies), { baseUrl: upstream.httpsUrl });
  const alive = await met(gateway);
  await upstream.close();
  const dead = await met(gateway);
  await gateway.stop();
  await bench.stop();
  return { alive, dead, events: told(gateway) };
}

/** @param {string} failurePolicy @param {import("../../proxies/proxy.mjs").Proxy[]} proxies */
function configuration(failurePolicy, proxies) {
  return {
    keys: KEYS,
    proxies: proxies.map(({ program, url }) => ({ name: program, url })),
    proxy: { failurePolicy, healthCheckIntervalSeconds: 10 },
  };
}

/** What a connection without a proxy counts, so that a zero means something. */
async function control() {
  const upstream = await startUpstream();
  await countDirectPackets([upstream.httpPort]);
  const before = await directPackets();
  if (!(await accepts(upstream.httpPort))) throw new Error("The upstream does not listen.");
  const packets = (await directPackets()) - before;
  await upstream.close();
  return packets;
}

/** @type {Record<string, unknown>} */
const found = { control: await control(), deadProxies: {}, deadUpstream: {} };
for (const policy of ["reassign", "fail", "reassignThenDirect"]) {
  Object.assign(/** @type {object} */ (found.deadProxies), { [policy]: await deadProxies(policy) });
  Object.assign(/** @type {object} */ (found.deadUpstream), { [policy]: await deadUpstream(policy) });
}
process.stdout.write(`${JSON.stringify(found)}\n`);
