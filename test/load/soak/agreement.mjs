/**
 * Whether the three ledgers of a soak agree: what each client got against what the upstream did with its request, and
 * the tunnels that each proxy granted against the connections that came from it. Pure; every disagreement is a sentence.
 */
import { Did, End } from "./ledgers.mjs";
import { asked, KEYS, MOST_ATTEMPTS, PROXIES } from "./plan.mjs";

/**
 * @typedef {import("./ledgers.mjs").ClientLedger} ClientLedger
 * @typedef {import("./ledgers.mjs").UpstreamLedger} UpstreamLedger
 * @typedef {{proxy: string, kind: string, fromMs: number, toMs: number}} Trouble when a proxy did not work
 * @typedef {{seed: number, requests: number, client: ClientLedger, upstream: UpstreamLedger, troubles: Trouble[], granted: Map<string, number>}} Soak
 * @typedef {{counts: Record<string, number>, disagreements: string[], total: number}} Agreement
 */

/** A request begun so long before a proxy's trouble, or ended so long after it, may have met it. */
const SLACK_MS = 300;
/** What was sent when its client left arrives so long after at most, on a machine with much else to do. */
const ON_ITS_WAY_MS = 15_000;
const SHOWN = 20;

/** @param {Soak} soak @returns {Agreement} */
export function agreement(soak) {
  /** @type {Record<string, number>} */
  const counts = { attempts: 0 };
  /** @type {string[]} */
  const disagreements = [];
  let total = 0;
  const tell = (/** @type {string} */ sentence) => {
    total += 1;
    if (disagreements.length < SHOWN) disagreements.push(sentence);
  };
  const names = Object.keys(End);
  for (let id = 0; id < soak.requests; id += 1) {
    const end = names[soak.client.end[id] ?? 0] ?? "none";
    counts[end] = (counts[end] ?? 0) + 1;
    counts.attempts = (counts.attempts ?? 0) + (soak.upstream.arrivals[id] ?? 0);
    for (const words of ofRequest(soak, id)) tell(`request ${id} (${described(soak, id)}): ${words}`);
  }
  for (const words of ofAll(soak)) tell(words);
  counts.tunnelsNotLogged = tunnels(soak).reduce((sum, { logged, came }) => sum + came - logged, 0);
  return { counts, disagreements, total };
}

/** @param {Soak} soak @param {number} id */
function described({ seed, client, upstream }, id) {
  const { dialect, kind, program } = asked(seed, id);
  const end = Object.keys(End)[client.end[id] ?? 0];
  const said = `${end} ${client.status[id]}, attempts ${client.attempts[id]}, saw ${client.seen[id]}, key ${client.key[id]}, proxy ${client.proxy[id]}`;
  const done = upstream.of(id).map(({ did, status, key, proxy, atMs }) => {
    return `${Object.keys(Did)[did]} ${status} key ${key} proxy ${proxy} at ${atMs}`;
  });
  const when = `${client.begunMs[id]} to ${client.endedMs[id]} ms`;
  return `${dialect} ${kind}, program ${program}, ${when}; client: ${said}; upstream: ${done.join(", then ") || "nothing"}`;
}

/** @param {Soak} soak @param {number} id @returns {string[]} */
function ofRequest(soak, id) {
  const { client, upstream } = soak;
  const end = client.end[id] ?? 0;
  const all = upstream.of(id);
  const seen = all.find(({ number }) => number === client.seen[id]);
  const left = end === End.leftEarly || end === End.leftLate;
  const lost = all.filter(
    (arrival) => arrival !== seen && arrival.did === Did.answered && !disturbed(soak, id, arrival.proxy),
  );
  /** @type {[boolean, string][]} */
  const rules = [
    [![End.none, End.lost, End.hung, End.wrong].includes(/** @type {any} */ (end)), "it has no good end"],
    // Invariant of the product: nothing is retried after the first byte.
    [!seen || nothingAfter(soak, id, seen.number), "another attempt arrived after the one whose answer the client saw"],
    [all.length <= MOST_ATTEMPTS, "it arrived more often than it may be tried"],
    [asked(soak.seed, id).kind !== "create" || (upstream.made[id] ?? 0) <= 1, "it may have been carried out twice"],
    [all.every(throughItsOwn), "a key came out of a proxy that is not its own"],
    [!triedAfterLeaving(soak, id), "it was tried after its client had left"],
    [end !== End.whole || seen?.did === Did.answered, "a whole answer that the upstream did not give"],
    [end !== End.refusedThere || seen?.did === Did.refused, "a refusal that the upstream did not say"],
    [end !== End.refusedThere || client.status[id] === seen?.status, "a status that the upstream did not say"],
    [end !== End.broken || brokenThere(soak, id, seen ?? all.at(-1)), "a good answer that broke off"],
    [left || end === End.broken || lost.length === 0, "a good answer that was not passed on"],
    [left || attemptsAgree(soak, id), "the attempts it was told are not those that arrived"],
    [
      left || !seen || (client.key[id] === seen.key && client.proxy[id] === seen.proxy),
      "the key and proxy it was told are not those of the attempt that arrived",
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, words]) => words);
}

/**
 * An attempt that a dying proxy cut off may be read by the upstream after the one that took its place: then it came out
 * of that proxy, and is among the attempts that the client was told of with the first byte.
 * @param {Soak} soak @param {number} id @param {number} seen
 */
function nothingAfter(soak, id, seen) {
  const late = soak.upstream.of(id).slice(seen);
  const told = (soak.upstream.arrivals[id] ?? 0) <= (soak.client.attempts[id] ?? 0);
  return late.length === 0 || (told && late.every(({ proxy }) => disturbed(soak, id, proxy)));
}

/** @param {{key: number, proxy: number}} arrival */
function throughItsOwn({ key, proxy }) {
  return KEYS[key - 1]?.proxy === PROXIES[proxy - 1]?.name;
}

/**
 * One attempt may be on its way when the client leaves, and what a dying proxy held up; none is begun after it.
 * @param {Soak} soak @param {number} id
 */
function triedAfterLeaving(soak, id) {
  const { client, upstream } = soak;
  const ended = client.endedMs[id] ?? 0;
  if (client.end[id] !== End.leftEarly) return false;
  const after = upstream.of(id).filter(({ atMs, proxy }) => atMs > ended && !disturbed(soak, id, proxy));
  return after.length > 1 || after.some(({ atMs }) => atMs > ended + ON_ITS_WAY_MS);
}

/** @param {Soak} soak @param {number} id @param {{did: number, proxy: number} | undefined} arrival */
function brokenThere(soak, id, arrival) {
  return arrival !== undefined && (arrival.did === Did.cut || disturbed(soak, id, arrival.proxy));
}

/** Each attempt arrives, unless a proxy failed it on the way. @param {Soak} soak @param {number} id */
function attemptsAgree(soak, id) {
  const [told = 0, arrivals = 0] = [soak.client.attempts[id], soak.upstream.arrivals[id]];
  return told === arrivals || (told > arrivals && disturbed(soak, id));
}

/**
 * Whether a proxy was in trouble while the request was under way: that one, or any.
 * @param {Soak} soak @param {number} id @param {number} [proxy] its place in the plan plus one
 */
function disturbed({ client, troubles }, id, proxy) {
  const [begun = 0, ended = 0] = [client.begunMs[id], client.endedMs[id]];
  const named = proxy === undefined ? undefined : PROXIES[proxy - 1]?.name;
  return troubles.some(({ proxy: name, fromMs, toMs }) => {
    return (proxy === undefined || name === named) && meets({ fromMs, toMs }, begun, ended);
  });
}

/** @param {{fromMs: number, toMs: number}} trouble @param {number} begun @param {number} ended */
function meets({ fromMs, toMs }, begun, ended) {
  return begun <= toMs + SLACK_MS && ended >= fromMs - SLACK_MS;
}

/**
 * Of each proxy what it logged, what came from it, and what it may have left out of its log: it connects first and then
 * writes it down, so one that is killed between the two has a connection that its log does not name. Its client never
 * heard of it, so nothing was sent through it.
 * @param {Soak} soak
 */
function tunnels({ upstream, granted, troubles }) {
  return PROXIES.map(({ name }, place) => {
    const dying = (/** @type {number} */ atMs) =>
      troubles.some((trouble) => trouble.proxy === name && meets(trouble, atMs, atMs));
    return {
      name,
      logged: granted.get(name) ?? 0,
      came: upstream.tunnels(place + 1),
      cutShort: upstream.silentOnes.filter(({ proxy, atMs }) => proxy === place + 1 && dying(atMs)).length,
    };
  });
}

/** What holds of the run as a whole. @param {Soak} soak @returns {string[]} */
function ofAll(soak) {
  const { client, upstream } = soak;
  const { afterDaily } = upstream.counted;
  const direct = upstream.tunnels(0);
  return [
    ...(client.endedTwice > 0 ? [`${client.endedTwice} requests ended twice`] : []),
    ...(direct > 0 ? [`${direct} connections came without a proxy`] : []),
    ...(afterDaily > 0 ? [`${afterDaily} requests asked for a daily quota that had long been used up`] : []),
    ...tunnels(soak).flatMap(({ name, logged, came, cutShort }) => {
      const unused = KEYS.some(({ proxy }) => proxy === name) && came === 0;
      return [
        ...(logged <= came && came <= logged + cutShort
          ? []
          : [`${name} granted ${logged} tunnels by its log, and ${came} connections came from it`]),
        ...(unused ? [`nothing came through ${name}`] : []),
      ];
    }),
  ];
}
