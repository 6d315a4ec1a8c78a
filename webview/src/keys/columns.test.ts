// The filter finds a key by what the table shows of it.

import { expect, it } from "vitest";
import type { KeyView, ProxyView } from "../protocol";
import { everyKey, fits } from "./columns";

const proxies = [{ id: "p1", name: "eu-1" }] as ProxyView[];
const key = {
  name: "Client A",
  masked_key: "••••9f2c",
  project: "acme",
  proxy_id: "p1",
  status: "cooling_down",
  status_reason: "Quota used up.",
} as KeyView;

it.each(["client", "9F2C", "acm", "EU-1", "quota", " "])("%j finds it", (text) => {
  expect(fits(key, { ...everyKey, text }, proxies)).toBe(true);
});

it("other texts and other states do not", () => {
  expect(fits(key, { ...everyKey, text: "client b" }, proxies)).toBe(false);
  expect(fits(key, { text: "client", status: "available" }, proxies)).toBe(false);
  expect(fits(key, { text: "client", status: "cooling_down" }, proxies)).toBe(true);
});
