// The page's policy lets exactly one script in and nothing inline.

import { expect, it } from "vitest";
import { panelHtml } from "./html";

it("allows the one script by its nonce and nothing else", () => {
  const html = panelHtml("vscode-resource://panel.js", "abc");
  const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1];
  expect(policy).toBe("default-src 'none'; script-src 'nonce-abc';");
  const scripts = [...html.matchAll(/<script(?! type="application\/json")/g)];
  expect(scripts).toHaveLength(1);
  expect(html).not.toMatch(/unsafe|<style|style=/);
});

it("carries the words of the editor's language as data that cannot end their element", () => {
  const words = { Start: "Starten", evil: "</script><script>alert(1)</script>" };
  const html = panelHtml("panel.js", "abc", "de", words);
  const data = /<script type="application\/json" id="words">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
  expect(JSON.parse(data)).toEqual(words);
  expect(html).toContain('<html lang="de">');
});
