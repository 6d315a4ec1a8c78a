// One story told in steps: each step is a test of its own, and later ones build
// on what earlier ones did. When a step fails the rest fail at once, with words,
// instead of waiting for what cannot come. It must not know what the steps do.

import assert from "node:assert/strict";
import { test } from "node:test";

const STEP_MS = 180_000;

/** Begins a story; at most one a test file. */
export function tell() {
  let broken = false;
  const story = {
    /** Whether anything failed: then the remains are worth keeping. */
    failed: false,
    /** @param {string} name @param {() => Promise<void>} body */
    step(name, body) {
      tested(name, async () => {
        try {
          await body();
        } catch (error) {
          broken = true;
          throw error;
        }
      });
    },
    /** A step that only looks: when it fails, what comes after it is tried all the same. @param {string} name @param {() => Promise<void>} body */
    look(name, body) {
      tested(name, body);
    },
  };
  /** @param {string} name @param {() => Promise<void>} body */
  function tested(name, body) {
    test(name, { timeout: STEP_MS }, async () => {
      assert.ok(!broken, "An earlier step failed, and this one builds on it.");
      try {
        await body();
      } catch (error) {
        story.failed = true;
        throw error;
      }
    });
  }
  return story;
}
