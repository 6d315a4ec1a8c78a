// The product in an editor that speaks German: commands by their German titles, the panel in the same language.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { tell } from "../harness/story.mjs";
import { startBench } from "./product.mjs";

/** @type {Awaited<ReturnType<typeof startBench>>} */
let bench;
/** @type {import("../harness/workbench.mjs").Workbench} */
let window;
const story = tell();
const { step } = story;

before(async () => {
  bench = await startBench("language", { language: "de" });
  window = await bench.editor.openWindow();
  await window.statusBar(/Gemini 0\/0/, 60_000);
});

after(async () => {
  await bench?.stop(story);
});

step("a command is found by its German title and works", async () => {
  await window.runCommand("Gemini Aggregator: API-Schlüssel hinzufügen");
  await window.quickInput.locator(".quick-input-title", { hasText: "(1/2)" }).waitFor({ timeout: 30_000 });
  await window.cancel();
});

step("the panel is German", async () => {
  await window.runCommand("Gemini Aggregator: Übersicht öffnen");
  await window.panel.getByTestId("panel").waitFor({ timeout: 30_000 });
  assert.equal(await window.panel.locator("html").getAttribute("lang"), "de");
  await window.panel.getByRole("heading", { name: "API-Schlüssel", exact: true }).waitFor({ timeout: 30_000 });
});
