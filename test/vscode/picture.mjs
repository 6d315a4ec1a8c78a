// Takes docs/images/panel.png from the real panel in a real VS Code, so that the
// README never shows what the product does not: `node test/vscode/picture.mjs`,
// after `npm run package`. Sets a scene with a few keys, proxies and requests.
// It proves nothing; the tests beside it do.

import { inRoot } from "../../scripts/lib/paths.mjs";
import { startMicrosocks } from "../proxies/index.mjs";
import { behave } from "../upstream/index.mjs";
import { MODEL } from "./e2e/clients.mjs";
import { addKey, addProxy, copyToken, openPanel, startBench } from "./e2e/product.mjs";

const KEYS = ["personal-1", "personal-2", "team", "free-tier"];
const keyOf = (/** @type {string} */ name) => `example-key-${name}`;

const bench = await startBench("picture", { scale: 2, port: 3146 });
const third = await startMicrosocks();
let failed = true;
try {
  await bench.editor.server.writeUserSettings({
    "workbench.colorTheme": "Default Dark Modern",
    "workbench.activityBar.location": "hidden",
    "workbench.layoutControl.enabled": false,
    "window.commandCenter": false,
  });
  const window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
  for (const [name, url] of [
    ["eu-1", bench.proxies[0].url],
    ["eu-2", bench.proxies[1].url],
    ["us-1", third.url],
  ]) {
    await addProxy(window, name, url);
  }
  for (const name of KEYS) await addKey(window, name, keyOf(name));
  await window.statusBar(/Gemini 4\/4/);
  bench.upstream.script.key(keyOf("free-tier")).always(behave.quotaPerMinute());
  const token = await copyToken(window);
  for (let asked = 0; asked < 9; asked += 1) await ask(bench.url, token);
  await window.runCommand("View: Toggle Primary Side Bar Visibility");
  await openPanel(window);
  await window.panel
    .getByTestId("key-status")
    .filter({ hasText: /cooling/i })
    .first()
    .waitFor({ timeout: 30_000 });
  await window.clearNotifications();
  await window.page.getByText("Copied the local token").first().waitFor({ state: "hidden", timeout: 30_000 });
  await window.screenshot(inRoot("docs", "images", "panel.png"));
  failed = false;
} finally {
  await bench.stop({ failed });
  await third.stop();
}

/** @param {string} url @param {string} token */
async function ask(url, token) {
  const answer = await fetch(`${url}/v1beta/models/${MODEL}:generateContent`, {
    method: "POST",
    headers: { "x-goog-api-key": token, "content-type": "application/json" },
    body: JSON.stringify({ contents: [{ parts: [{ text: "Say hello." }] }] }),
  });
  if (!answer.ok) throw new Error(`The endpoint answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}
