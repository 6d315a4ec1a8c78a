// A key's proxy is shown by name or as "No Proxy", and the menu shows the rule that holds.

import { expect, it } from "vitest";
import type { KeyView, ProxyView } from "../protocol";
import { assignOptions, chosenProxy, proxyName } from "./assignment";

const proxies = [
  { id: "p1", name: "eu-1" },
  { id: "p2", name: "us-1" },
] as ProxyView[];
const key = (proxy_id: string | null, is_manual: boolean) => ({ proxy_id, is_manual }) as KeyView;
const selected = (it: KeyView) => assignOptions(it, proxies).filter((option) => option.selected);

it("names the proxy, or says that there is none", () => {
  expect(proxyName(key("p2", false), proxies)).toBe("us-1");
  expect(proxyName(key(null, true), proxies)).toBe("No Proxy");
});

it.each([
  ["Automatic", key("p1", false), "auto"],
  ["Automatic", key(null, false), "auto"],
  ["No Proxy", key(null, true), null],
  ["us-1", key("p2", true), "p2"],
])("selects %s", (label, shown, sent) => {
  expect(selected(shown).map((option) => option.label)).toEqual([label]);
  expect(selected(shown).map((option) => chosenProxy(option.value))).toEqual([sent]);
});
