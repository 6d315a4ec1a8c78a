/**
 * Proves that the canaries sing: a fragment planted in every form is found, wherever in the secret and in the text it
 * stands, and what a masked key may show is not. Without this a silent check elsewhere would prove nothing.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Canaries, canaryKey, canaryPassword, TRACE } from "./canaries.mjs";

const key = canaryKey();
const password = canaryPassword();
const canaries = new Canaries({ "a key": key, "a password": password });
const fragments = (/** @type {string} */ secret) =>
  Array.from({ length: secret.length - TRACE + 1 }, (_, start) => secret.slice(start, start + TRACE));

describe("canaries", () => {
  test("have the shape of real ones and are new each time", () => {
    assert.match(key, /^AIza[\w-]{35}$/);
    assert.notEqual(key, canaryKey());
    assert.notEqual(encodeURIComponent(password), password);
  });

  test("are found whole in every form", () => {
    for (const [label, secret] of [
      ["a key", key],
      ["a password", password],
    ]) {
      for (const text of formsOf(secret)) {
        const found = canaries.find(`{"seen": "${text}"} and more`);
        assert.ok(
          found.some((trace) => trace.secret === label),
          `${label} is not found as ${text}`,
        );
      }
    }
  });

  test("are found by any eight characters in a row, in every form and alignment", () => {
    for (const fragment of [...fragments(key), ...fragments(password)]) {
      for (const text of formsOf(fragment)) {
        assert.notDeepEqual(canaries.find(`before ${text} after`), [], `not found: ${text}`);
      }
    }
  });

  test("are found in the header of a proxy's basic credentials", () => {
    const header = `Basic ${Buffer.from(`one:${password}`).toString("base64")}`;
    assert.deepEqual(
      canaries.find(header).map(({ secret, form }) => [secret, form]),
      [["a password", "base64"]],
    );
  });

  test("stay silent for a masked key and for seven characters", () => {
    assert.deepEqual(
      canaries.find(`••••${key.slice(-4)} ${key.slice(-4)} ${key.slice(5, 12)} ${password.slice(-7)}`),
      [],
    );
    assert.deepEqual(canaries.find(Buffer.from(key.slice(-4)).toString("base64")), []);
  });

  test("a report names place, label and form, and never the secret", () => {
    const lines = canaries.report({ "the log": `a line with key=${key} in it`, "the panel": "nothing" });
    assert.equal(lines.length, 1);
    assert.match(lines[0], /^the log shows a key \(as it is\), after: …line with$/);
    assert.ok(!lines[0].includes(key.slice(0, 5)) && !lines[0].includes(key.slice(-5)), lines[0]);
    // Several of them close together: none may be quoted as what stands before another.
    for (let before = 0; before < 160; before += 1) {
      const text = `${"x".repeat(before)} one ${encodeURIComponent(password)} two ${key.slice(4)} three "${key}" four ${password}`;
      const report = canaries.report({ "the log": `${"word ".repeat(30)}${text}` }).join();
      const repeated = [key, password].some((secret) =>
        Array.from({ length: secret.length - 4 }, (_, at) => secret.slice(at, at + 5)).some((part) =>
          report.includes(part),
        ),
      );
      assert.ok(!repeated, "the report repeats a part of a secret");
    }
  });
});

/** @param {string} secret */
function formsOf(secret) {
  const base64 = [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.from(`${"xyz".slice(0, shift)}${secret}and so on`);
    return [bytes.toString("base64"), bytes.toString("base64url")];
  });
  const everyByte = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const everyUnit = [...secret].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  return [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(encodeURIComponent(secret)),
    everyByte,
    everyUnit,
    JSON.stringify(secret),
    secret.replaceAll("/", "\\/"),
    secret.replaceAll("/", "&#x2F;").replaceAll("@", "&#64;"),
    ...base64,
  ];
}
