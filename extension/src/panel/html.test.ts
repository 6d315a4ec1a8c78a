// The page's policy lets exactly one script in and nothing inline.

import { expect, it } from "vitest";
import { panelHtml } from "./html";

it("allows the one script by its nonce and nothing else", () => {
  const html = panelHtml("vscode-resource://panel.js", "abc");
  const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1];
  expect(policy).toBe("default-src 'none'; script-src 'nonce-abc';");
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).not.toMatch(/unsafe|<style|style=/);
});
