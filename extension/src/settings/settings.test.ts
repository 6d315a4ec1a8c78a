// What the user wrote reaches the core under the core's names, and a refusal comes back under the user's.

import { expect, it } from "vitest";
import { inSettingsWords, readSettings, settingFor } from "./settings";

const written = {
  port: 4000,
  localAuth: "off",
  upstreamBaseUrl: "https://upstream.example",
  upstreamCaFile: "  ",
  requestTimeoutSeconds: 30,
  "tls.certFile": "",
  "tls.keyFile": " ",
  http2: "off",
  keySelection: "random",
  maxAttempts: 2,
  maxWaitSeconds: 5,
  modelAliases: { "gpt-4o": "gemini-pro" },
  "proxy.autoAssignment": false,
  "proxy.loadBalancingStrategy": "round_robin",
  "proxy.healthCheckIntervalSeconds": 20,
  "proxy.maxErrorsBeforeDisable": 5,
  "proxy.rebalanceThreshold": 2,
  "proxy.failurePolicy": "fail",
  "rotatingProxy.enabled": false,
  "rotatingProxy.maxRetries": 7,
  "monitoring.failureThreshold": 4,
  "monitoring.recoveryTimeSeconds": 40,
  "monitoring.windowSeconds": 400,
  "requestLog.size": 9,
};
const read = (values: Record<string, unknown>) => readSettings(<T>(name: string) => values[name] as T);

it("maps every setting", () => {
  expect(read(written)).toMatchObject({
    server: { host: "127.0.0.1", port: 4000, localAuth: "off" },
    upstream: { baseUrl: "https://upstream.example", requestTimeoutSeconds: 30, http2: "off" },
    keySelection: "random",
    maxAttempts: 2,
    maxWaitSeconds: 5,
    modelAliases: { "gpt-4o": "gemini-pro" },
    proxy: {
      autoAssignment: false,
      loadBalancingStrategy: "round_robin",
      healthCheckIntervalSeconds: 20,
      maxErrorsBeforeDisable: 5,
      rebalanceThreshold: 2,
      failurePolicy: "fail",
    },
    monitoring: { failureThreshold: 4, recoveryTimeSeconds: 40, windowSeconds: 400 },
    requestLog: { size: 9 },
  });
});

it("an empty path of the CA file means none", () => {
  expect(read(written).upstream.caFile).toBeNull();
  expect(read({ ...written, upstreamCaFile: "/etc/ca.pem" }).upstream.caFile).toBe("/etc/ca.pem");
});

it("TLS is on as soon as one of its files is named", () => {
  expect(read(written).server.tls).toBeNull();
  const one = read({ ...written, "tls.certFile": "/etc/local.pem " });
  expect(one.server.tls).toEqual({ certFile: "/etc/local.pem", keyFile: "" });
  expect(inSettingsWords("server.tls.keyFile: TLS needs both files.")).toContain("geminiAggregator.tls.keyFile");
});

it("names the setting behind the core's path", () => {
  expect(settingFor("upstream.baseUrl")).toBe("geminiAggregator.upstreamBaseUrl");
  expect(settingFor("proxy.maxErrorsBeforeDisable")).toBe("geminiAggregator.proxy.maxErrorsBeforeDisable");
});

it("says what the core refuses in the editor's names, and leaves other words alone", () => {
  const refused = "server.port: 70000 is out of range; use 0 to 65535.\nmaxAttempts: 0 is out of range; use 1 to 100.";
  expect(inSettingsWords(refused)).toBe(
    "The setting geminiAggregator.port: 70000 is out of range; use 0 to 65535.\n" +
      "The setting geminiAggregator.maxAttempts: 0 is out of range; use 1 to 100.",
  );
  expect(inSettingsWords("dlopen: no such file")).toBe("dlopen: no such file");
});
