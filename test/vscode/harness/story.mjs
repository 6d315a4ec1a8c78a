// One story told in steps: each step is a test of its own, and later ones build
// on what earlier ones did. When a step fails the rest fail at once, with words,
// instead of waiting for what cannot come. It must not know what the steps do.

import assert from "node:assert/strict";
import { test } from "node:test";

const STEP_MS = 180_000;

/** Begins a story; at most one a test file. */
export function tell() {
  const story = {
    failed: false,
    /** @param {string} name @param {() => Promise<void>} body */
    step(name, body) {
      test(name, { timeout: STEP_MS }, async () => {
        assert.ok(!story.failed, "An earlier step failed, and this one builds on it.");
        try {
          await body();
        } catch (error) {
          story.failed = true;
          throw error;
        }
      });
    },
  };
  return story;
}
