// The product inside a real VS Code, next to a simulated upstream and real
// proxies: starts and ends all of them, and carries out what a person does with
// the palette and the panel. It must not judge: tests say what ought to be seen.

import { findVsix } from "../../../scripts/lib/vsix.mjs";
import { createAuthority } from "../../lib/authority.mjs";
import { freePort } from "../../lib/ports.mjs";
import { pollUntil } from "../../lib/wait.mjs";
import { startSquid } from "../../proxies/index.mjs";
import { startUpstream } from "../../upstream/index.mjs";
import { Editor } from "../harness/editor.mjs";

/** @typedef {import("../harness/workbench.mjs").Workbench} Workbench */

/**
 * @typedef {object} Options
 * @property {number} [scale]
 * @property {number} [port] the endpoint's, any free one unless given
 * @property {Record<string, unknown>} [settings] beside those that every story has
 * @property {Record<string, unknown>} [userSettings] of the editor itself
 * @property {string[]} [extensions] installed beside the product
 * @property {NodeJS.ProcessEnv} [env] of the extension host
 * @property {string} [language] of the editor and its extensions
 * @property {string[]} [passwords] of the two proxies
 */

/**
 * @param {string} name
 * @param {Options} [options]
 */
export async function startBench(name, options = {}) {
  /** @type {(() => unknown)[]} */
  const ends = [];
  const end = async () => {
    for (const one of ends.splice(0).reverse()) await one();
  };
  try {
    return await startParts(name, options, ends, end);
  } catch (error) {
    // Whatever runs already would keep the test process alive, and its failure untold.
    await end();
    throw error;
  }
}

/**
 * @param {string} name
 * @param {Options} options
 * @param {(() => unknown)[]} ends grows with each part that runs
 * @param {() => Promise<void>} end of all of them, the last one first
 */
async function startParts(name, options, ends, end) {
  const authority = await createAuthority();
  ends.push(() => authority.dispose());
  const upstream = await startUpstream({ authority });
  ends.push(() => upstream.close());
  // Squid notes the port of its outgoing connection, which the upstream sees as its peer's: proof of who carried what.
  const proxies = await Promise.all(
    ["one", "two"].map(async (user, index) => {
      const password = options.passwords?.[index] ?? "open-sesame";
      const proxy = await startSquid({ credentials: { user, password } });
      ends.push(() => proxy.stop());
      return proxy;
    }),
  );
  const port = options.port ?? (await freePort());
  const editor = await Editor.launch({
    name,
    vsix: findVsix(),
    scale: options.scale,
    extensions: options.extensions,
    userSettings: options.userSettings,
    env: options.env,
    language: options.language,
    machineSettings: {
      "geminiAggregator.port": port,
      "geminiAggregator.upstreamBaseUrl": upstream.httpsUrl,
      "geminiAggregator.upstreamCaFile": authority.caFile,
      "geminiAggregator.proxy.healthCheckIntervalSeconds": 600,
      ...options.settings,
    },
  });
  return {
    upstream,
    proxies,
    editor,
    url: `http://127.0.0.1:${port}`,
    /** @param {{failed: boolean}} outcome */
    async stop(outcome) {
      await editor.dispose(outcome);
      await end();
    },
  };
}

/** Adds a proxy through the palette. @param {Workbench} window @param {string} name @param {string} url */
export async function addProxy(window, name, url) {
  await window.runCommand("Gemini Aggregator: Add Proxy");
  await window.answer("Add Proxy (1/2)", url);
  await window.answer("Add Proxy (2/2)", name);
}

/** Adds a key through the palette. @param {Workbench} window @param {string} name @param {string} key */
export async function addKey(window, name, key) {
  await window.runCommand("Gemini Aggregator: Add API Key");
  await window.answer("Add API Key (1/2)", key);
  await window.answer("Add API Key (2/2)", name);
}

/** The token a person would paste into a tool. @param {Workbench} window */
export async function copyToken(window) {
  // The status bar may still tell of an earlier copy, so only a clipboard that was empty before is proof of this one.
  await window.putOnClipboard("");
  await window.runCommand("Gemini Aggregator: Copy Local Token");
  await window.statusBar(/Copied the local token/);
  return pollUntil(() => window.clipboard(), { what: "the token is copied" });
}

/** Opens the panel; resolves once it shows state. @param {Workbench} window */
export async function openPanel(window) {
  await window.runCommand("Gemini Aggregator: Open Panel");
  await window.panel.getByTestId("panel").waitFor({ timeout: 30_000 });
}

/**
 * Which proxy the panel shows for which key, once it shows so many keys.
 * @param {Workbench} window @param {number} count
 */
export async function assignments(window, count) {
  const rows = window.panel.getByTestId("key-row");
  await rows.nth(count - 1).waitFor({ timeout: 30_000 });
  const pairs = await rows.evaluateAll((elements) =>
    elements.map((row) => [
      row.getAttribute("data-key-name") ?? "",
      row.querySelector("[data-testid=key-proxy]")?.textContent?.trim() ?? "",
    ]),
  );
  return Object.fromEntries(pairs);
}

/** All that the panel's page holds, whether it is in sight or not. @param {Workbench} window */
export async function panelMarkup(window) {
  return window.panel.locator("html").evaluate((html) => {
    /** @param {Element} element @returns {string} */
    const inside = (element) =>
      `${element.shadowRoot?.innerHTML ?? ""}${[...(element.shadowRoot?.children ?? []), ...element.children].map(inside).join("")}`;
    return html.innerHTML + inside(html);
  });
}
