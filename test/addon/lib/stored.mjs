/**
 * What the user entered, in one shape from two places: the secret store as the extension holds it, and the snapshot as
 * the panel shows it. For comparing the two, where no
 * proxy has a password; reads only.
 */

/** @typedef {import("../../../native/addon/types.gen").Snapshot} Snapshot */

/** @param {Map<string, string>} store */
export function persisted(store) {
  const read = (/** @type {string} */ name, /** @type {any} */ none) => JSON.parse(store.get(name) ?? none);
  const { keys: details } = read("geminiApiKeyDetails", '{"keys":{}}');
  const { assignments } = read("geminiProxyAssignments", '{"assignments":[]}');
  const { proxies } = read("geminiProxyPool", '{"proxies":[]}');
  return {
    keys: read("geminiApiKeysIds", "[]").map((/** @type {string} */ id) => {
      const { name, enabled, weight } = details[id] ?? {};
      const assigned = assignments.find((/** @type {any} */ entry) => entry.keyId === id);
      const { proxyId: proxy = null, isManual: manual = false, assignedAt: at = null, home = null } = assigned ?? {};
      return { id, name, enabled, weight, proxy, manual, at, home };
    }),
    proxies: proxies.map((/** @type {any} */ { id, name, enabled, url }) => ({ id, name, enabled, url })),
  };
}

/** @param {Snapshot} snapshot */
export function shown({ keys, proxies }) {
  return {
    keys: keys.map(({ id, name, enabled, weight, proxy_id, is_manual, proxy_assigned_at, home_proxy_id }) => {
      const assigned = { proxy: proxy_id, manual: is_manual, at: proxy_assigned_at, home: home_proxy_id };
      return { id, name, enabled, weight, ...assigned };
    }),
    proxies: proxies.map(({ id, name, enabled, masked_url }) => ({ id, name, enabled, url: masked_url })),
  };
}
