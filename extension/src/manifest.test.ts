// The manifest and the code must name the same things, and no setting may be one that a workspace can set: a cloned
// repository must never be able to point a user's keys at another server.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { commands, PREFIX } from "./commands/table";
import { readSettings, SECTION } from "./settings/settings";
import { chosenClients } from "./terminals/variables";

type Setting = { scope?: string; default?: unknown };
type Manifest = {
  contributes: { commands: { command: string }[]; configuration: { properties: Record<string, Setting> } };
};

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const manifest: Manifest = JSON.parse(read("package.json"));
const settings = manifest.contributes.configuration.properties;

it.each(Object.entries(settings))("%s cannot be set by a workspace", (_name, setting) => {
  expect(setting.scope).toBe("machine");
});

it("every setting that the code reads is in the manifest with a default, and none is there in vain", () => {
  const asked: string[] = [];
  const read = <T>(name: string) => {
    asked.push(`${SECTION}.${name}`);
    return settings[`${SECTION}.${name}`]?.default as T;
  };
  readSettings(read);
  expect(chosenClients(read), "terminals get nothing unless asked for").toEqual([]);
  expect(asked.sort()).toEqual(Object.keys(settings).sort());
  expect(asked.filter((name) => settings[name]?.default === undefined)).toEqual([]);
});

it("every command of the manifest is in the table, and the other way round", () => {
  const listed = manifest.contributes.commands.map(({ command }) => command);
  expect(listed.sort()).toEqual(commands.map(({ id }) => PREFIX + id).sort());
});

it("every %text% of the manifest is there", () => {
  const texts: Record<string, string> = JSON.parse(read("package.nls.json"));
  const used = [...read("package.json").matchAll(/"%([^%"]+)%"/g)].map(([, name]) => name ?? "");
  expect(used.filter((name) => !texts[name])).toEqual([]);
  expect(Object.keys(texts).filter((name) => !used.includes(name))).toEqual([]);
});

it("German has every text of the manifest, and commands in links stay as they are", () => {
  const english: Record<string, string> = JSON.parse(read("package.nls.json"));
  const german: Record<string, string> = JSON.parse(read("package.nls.de.json"));
  expect(Object.keys(german).sort()).toEqual(Object.keys(english).sort());
  const links = (text: string) => text.match(/\(command:[^)]+\)/g) ?? [];
  for (const [name, text] of Object.entries(english)) expect(links(german[name] ?? ""), name).toEqual(links(text));
});
