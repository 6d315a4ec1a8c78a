// Every state that the doctor can find leads to one line with what to do, and no name, address or secret gets into it.

import { expect, it } from "vitest";
import type { KeyView, ProxyView, RotatingView, Snapshot, Tested } from "../../../native/addon/types.gen";
import { nothingYet } from "../core/nothingYet";
import { examine } from "./examine";
import type { Findings } from "./findings";
import { redactor } from "./redact";
import { counted, inWords, report } from "./report";

const key = {
  name: "alpha",
  masked_key: "••••0001",
  status: "available",
  status_reason: null,
  enabled: true,
} as KeyView;
const proxy = {
  name: "eu-1",
  masked_url: "socks5h://tester:••••@proxy.example:1080",
  status: "active",
  last_error: null,
} as ProxyView;

const passed: Tested = { works: true, message: "", stages: [], address: null };
const failed: Tested = {
  works: false,
  message: "",
  fault: "proxy",
  stages: [
    { stage: "dns", ms: 1, ok: true, words: "Found." },
    { stage: "proxy_login", ms: 2, ok: false, words: "eu-1 refused." },
  ],
  address: null,
};

const well: Snapshot = {
  ...nothingYet,
  version: "0.1.0",
  endpoint: { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" },
  keys: [key],
  proxies: [proxy],
};

const found: Findings = {
  snapshot: well,
  port: 3146,
  localAuth: "token",
  ownUpstream: false,
  peer: { kind: "ours", version: "0.1.0" },
  tokenFile: { kind: "present", private: true },
  secretStorage: { kind: "works" },
  tested: [],
  clockSkewMs: 200,
  startWarnings: [],
  versions: { extension: "0.1.0", editor: "Code 1.104.0", node: "20.19.0", machine: "linux x64" },
};

function examined(change: Partial<Findings>, snapshot: Partial<Snapshot> = {}) {
  const findings = { ...found, ...change, snapshot: { ...well, ...snapshot } };
  return examine(findings, redactor(findings.snapshot, "/home/tester"));
}

it("says nothing to do where everything is well", () => {
  const parts = examined({});
  expect(counted(parts)).toEqual({ fails: 0, warnings: 0 });
  expect(inWords(counted(parts))).toBe("Everything looked at is well.");
  expect(report(parts)).not.toContain("To do");
});

it.each<[string, string, Partial<Findings>, Partial<Snapshot>]>([
  ["fail", "It is stopped", {}, { endpoint: { kind: "stopped" } }],
  ["fail", "Port 3146 is taken", {}, { endpoint: { kind: "failed", message: "Port 3146 is taken." } }],
  ["fail", "another program answers", { peer: { kind: "foreign" } }, {}],
  ["fail", "nothing answers (ECONNREFUSED)", { peer: { kind: "silent", why: "ECONNREFUSED" } }, {}],
  ["warn", "version 0.0.9", { peer: { kind: "ours", version: "0.0.9" } }, {}],
  ["warn", "Every program on this machine", { localAuth: "off" }, {}],
  ["warn", "another server than Google's", { ownUpstream: true }, {}],
  ["warn", "Other users of this machine", { tokenFile: { kind: "present", private: false } }, {}],
  ["fail", "file is missing", { tokenFile: { kind: "missing" } }, {}],
  ["fail", "cannot be read (EACCES)", { tokenFile: { kind: "unreadable", why: "EACCES" } }, {}],
  ["fail", "gone at once", { secretStorage: { kind: "forgets" } }, {}],
  ["fail", "cannot be written to (locked)", { secretStorage: { kind: "fails", why: "locked" } }, {}],
  ["warn", "At the start: The stored secret", { startWarnings: ["The stored secret is damaged."] }, {}],
  ["fail", "There is none", {}, { keys: [] }],
  ["fail", "0 of 1 available", {}, { keys: [{ ...key, status: "disabled", status_reason: "Google refused it" }] }],
  ["warn", "key 2 of the panel rests", {}, { keys: [key, { ...key, name: "beta", status: "cooling_down" }] }],
  [
    "warn",
    "key 2 of the panel is disabled (no)",
    {},
    { keys: [key, { ...key, status: "disabled", status_reason: "no" }] },
  ],
  ["ok", "switched off by you", {}, { keys: [key, { ...key, status: "disabled", enabled: false }] }],
  ["ok", "keys connect directly", {}, { proxies: [] }],
  ["fail", "0 of 1 active", {}, { proxies: [{ ...proxy, status: "error" }] }],
  ["warn", "proxy 2 of the panel does not work", {}, { proxies: [proxy, { ...proxy, status: "error" }] }],
  [
    "fail",
    "refuses its password",
    {},
    { rotating: { mode: "refused", masked_url: "http://h:1", last_error: null } as RotatingView },
  ],
  ["warn", "1 of the last 1 failed", {}, { requests: [{ status: 503, error: "no key" } as Snapshot["requests"][0]] }],
  ["ok", "clock agrees", { clockSkewMs: -29_000 }, {}],
  ["warn", "31 s ahead of Gemini's", { clockSkewMs: 31_000 }, {}],
  ["warn", "3600 s behind Gemini's", { clockSkewMs: -3_600_000 }, {}],
  ["ok", "clock was not compared", { clockSkewMs: undefined }, {}],
  ["ok", "The key 1 reaches Gemini", { tested: [{ of: { kind: "key", place: 0 }, result: passed }] }, {}],
  [
    "warn",
    'The proxy 1 fails at the stage "Tunnel through the proxy": proxy 1 refused',
    { tested: [{ of: { kind: "proxy", place: 0 }, result: failed }] },
    {},
  ],
  ["warn", "with core 0.0.9", {}, { version: "0.0.9" }],
  ["fail", "has Node 18.0.0", { versions: { ...found.versions, node: "18.0.0" } }, {}],
])("%s: %s", (level, words, change, snapshot) => {
  const lines = examined(change, snapshot).flatMap((part) => part.lines);
  const line = lines.find(({ what }) => what.includes(words));
  expect(line?.level, JSON.stringify(lines)).toBe(level);
});

it("a port where nothing answers is well while the endpoint is stopped", () => {
  const [endpoint] = examined({ peer: { kind: "silent", why: "x" } }, { endpoint: { kind: "stopped" } });
  expect(endpoint?.lines[1]).toEqual({ level: "ok", what: "Port 3146 is free: nothing answers there." });
});

it("names, addresses and tails of keys stay out of the report", () => {
  const error = "eu-1 (proxy.example:1080) refused tester; alpha ••••0001, /home/tester/x, eu-1's alphabet";
  const text = report(
    examined(
      { startWarnings: [error] },
      {
        endpoint: { kind: "failed", message: error },
        keys: [{ ...key, status: "disabled", status_reason: error }],
        proxies: [{ ...proxy, status: "error", last_error: error }],
        requests: [{ status: 502, error } as Snapshot["requests"][0]],
      },
    ),
  );
  for (const private_ of ["eu-1", "proxy.example", "tester", "0001", "alpha "]) expect(text).not.toContain(private_);
  expect(text).toContain("proxy 1 (proxy 1's address) refused proxy 1's address; key 1 ••••, ~/x, proxy 1's alphabet");
});

it.each([
  "AIzaSyD-1234567890abcdefghijklmnopqrstu",
  "AQ.Ab8RN6L-defGHI_456jklMNO",
  "gka-0123456789abcdef0123",
  "test-key-alpha-0001",
])("no 8 characters of %s survive, wherever another program wrote it", (secret) => {
  const words = `Server said: key ${secret} (${secret}), "key=${secret}" is not valid`;
  const broken = { ...failed, stages: [{ stage: "gemini" as const, ms: 1, ok: false, words }] };
  const text = report(
    examined(
      { startWarnings: [words], tested: [{ of: { kind: "key", place: 0 }, result: broken }] },
      {
        endpoint: { kind: "failed", message: words },
        keys: [{ ...key, status: "disabled", status_reason: words }],
        proxies: [{ ...proxy, status: "error", last_error: words }],
        requests: [{ status: 502, error: words } as Snapshot["requests"][0]],
      },
    ),
  );
  for (let start = 0; start + 8 <= secret.length; start += 1) {
    expect(text).not.toContain(secret.slice(start, start + 8));
  }
  expect(text).toContain("is not valid");
});
