// The sidebar tells each state by icon and in words, keeps a row's place while it counts down, and leaves the room to the
// welcome when there is no key.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { EndpointView, KeyView, ProxyView, Snapshot } from "../../../native/addon/types.gen";
import { PREFIX } from "../commands/table";
import { nothingYet } from "../core/nothingYet";
import { changesBetween } from "./changes";
import { argumentOf, ROW_COMMANDS, TreeNode } from "./node";
import { type Row, rowsOf } from "./rows";

const now = 1_000_000;
const listening: EndpointView = { kind: "listening", url: "http://127.0.0.1:3146", port: 3146, local_auth: "token" };

function key(id: string, more: Partial<KeyView> = {}): KeyView {
  const base: Partial<KeyView> = {
    id,
    name: `key ${id}`,
    masked_key: "••••abcd",
    status: "available",
    status_reason: null,
    cooling_down_until: null,
    enabled: true,
    project: null,
    proxy_id: null,
    current_requests: 0,
    request_count: 0,
    failure_count: 0,
  };
  return { ...base, ...more } as KeyView;
}

function proxy(id: string, more: Partial<ProxyView> = {}): ProxyView {
  const base: Partial<ProxyView> = {
    id,
    name: `proxy ${id}`,
    masked_url: "socks5://user:••••@192.0.2.1:1080",
    status: "active",
    assigned_key_count: 1,
    active_requests: 0,
    last_error: null,
    latency_ms: 80,
  };
  return { ...base, ...more } as ProxyView;
}

function rows(keys: KeyView[], proxies: ProxyView[] = [], endpoint = listening, at = now): Row[] {
  const snapshot: Snapshot = { ...nothingYet, endpoint, keys, proxies };
  return rowsOf(snapshot, at);
}

const group = (all: Row[], path: string) => all.find((row) => row.path === path)?.children ?? [];
const cooling = (until: number) => key("a", { status: "cooling_down", cooling_down_until: until });

describe("rows", () => {
  it("are none without a key, so that the welcome shows", () => {
    expect(rows([], [proxy("p")])).toEqual([]);
  });

  it("show the address, and offer to copy it only where there is one", () => {
    expect(rows([key("a")])[0]).toMatchObject({ kind: "endpoint.reachable", label: listening.url });
    const failed = rows([key("a")], [], { kind: "failed", message: "Port 3146 is taken." });
    expect(failed[0]).toMatchObject({ kind: "endpoint", tooltip: "Port 3146 is taken.", icon: { name: "error" } });
  });

  it("count the available keys", () => {
    expect(rows([key("a"), cooling(now + 1)])[1]?.description).toBe("1 of 2 available");
  });

  it("say what a key's state is and how it leaves", () => {
    const states = group(
      rows(
        [
          key("a", { proxy_id: "p" }),
          { ...cooling(now + 41_001), id: "b", status_reason: "Quota used up." },
          key("c", { status: "disabled", enabled: false }),
          key("d", { status: "disabled", status_reason: "This API key is not valid." }),
        ],
        [proxy("p")],
      ),
      "keys",
    );
    expect(states.map(({ description, icon, kind }) => [description, icon.name, kind])).toEqual([
      ["proxy p", "pass-filled", "key.on"],
      ["cooling down 0:42 · No Proxy", "watch", "key.on"],
      ["disabled · No Proxy", "circle-slash", "key.off"],
      ["disabled · No Proxy", "error", "key.refused"],
    ]);
    expect(states[1]?.tooltip).toContain("Quota used up.");
    expect(states[3]?.tooltip).toContain("not valid");
  });

  it("say why a proxy fails", () => {
    const [failing] = group(
      rows([key("a")], [proxy("p", { status: "error", last_error: "Refused (407)." })]),
      "proxies",
    );
    expect(failing).toMatchObject({ description: "error · 1 key", icon: { name: "error" } });
    expect(failing?.tooltip).toContain("Refused (407).");
  });
});

describe("changes", () => {
  it("are none when nothing that is shown differs", () => {
    expect(changesBetween(rows([key("a")]), rows([key("a", { health_score: 0.5 })]))).toEqual({
      kind: "rows",
      paths: [],
    });
  });

  it("name the one row that counts down", () => {
    const at = (time: number) => rows([cooling(now + 60_000), key("b")], [], listening, time);
    expect(changesBetween(at(now), at(now + 1000))).toEqual({ kind: "rows", paths: ["key/a"] });
  });

  it("name the group when its entries came, went or moved", () => {
    const [one, both, turned] = [rows([key("a")]), rows([key("a"), key("b")]), rows([key("b"), key("a")])];
    expect(changesBetween(one, both)).toEqual({ kind: "rows", paths: ["keys"] });
    expect(changesBetween(both, turned)).toEqual({ kind: "rows", paths: ["keys"] });
  });

  it("are everything when a group comes or the first key does", () => {
    expect(changesBetween(rows([key("a")]), rows([key("a")], [proxy("p")]))).toEqual({ kind: "everything" });
    expect(changesBetween(rows([]), rows([key("a")]))).toEqual({ kind: "everything" });
  });
});

describe("a command chosen in the tree", () => {
  it("gets the entry that it is for", () => {
    expect(argumentOf("testApiKey", new TreeNode("key/a", "a"))).toEqual({ id: "a" });
  });

  it("gets nothing when it is for none: the focused row is no answer to its questions", () => {
    expect(argumentOf("addApiKey", new TreeNode("key/a", "a"))).toBeUndefined();
    expect(argumentOf("testApiKey", new TreeNode("keys", undefined))).toBeUndefined();
  });

  it("is known as one of a row's, if the manifest offers it on keys or proxies", () => {
    const manifest: { contributes: { menus: Record<string, { command: string; when: string }[]> } } = JSON.parse(
      readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
    );
    const offered = manifest.contributes.menus["view/item/context"] ?? [];
    const onEntries = offered.filter(({ when }) => /viewItem .*(key|proxy)/.test(when)).map(({ command }) => command);
    expect([...new Set(onEntries)].sort()).toEqual(ROW_COMMANDS.map((id) => PREFIX + id).sort());
  });

  it("keeps every other argument", () => {
    expect(argumentOf("addApiKey", { key: "x" })).toEqual({ key: "x" });
  });
});
