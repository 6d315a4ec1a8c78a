// Takes out of a sentence of the core's what a user would not post in public: names and addresses. Keys and passwords are
// not in there in the first place; should another program's text hold one, whatever looks like a credential goes too.

import * as l10n from "@vscode/l10n";
import type { Snapshot } from "../../../native/addon/types.gen";

/** No credential that is looked for by its looks alone is shorter. */
const SHORTEST = 16;

/** Google's keys in their old and new form, our token, and any long run of letters with digits that is no model's name. */
const CREDENTIAL = [
  "\\b(?:AIza|AQ\\.|ya29\\.|gka-)[\\w.-]+",
  `(?<![\\w.-])(?!gemini|gemma|imagen|models|veo)(?=[\\w-]*\\d)(?=[\\w-]*[A-Za-z])[\\w-]{${SHORTEST},}`,
].join("|");

export type Redact = (sentence: string) => string;

export function redactor({ keys, proxies, rotating }: Snapshot, home: string): Redact {
  const hidden: [string, string][] = [
    ...keys.map((key, place): [string, string] => [key.name, keyLabel(place)]),
    ...proxies.map((proxy, place): [string, string] => [proxy.name, proxyLabel(place)]),
    ...proxies.flatMap((proxy, place) => addressParts(proxy.masked_url, l10n.t("{0}'s address", proxyLabel(place)))),
    ...(rotating === null ? [] : addressParts(rotating.masked_url, l10n.t("the rotating proxy's address"))),
    ...(rotating?.last_address ? [[rotating.last_address, l10n.t("an address")] as [string, string]] : []),
    ...(home.length > 1 ? [[home, "~"] as [string, string]] : []),
  ];
  // The longest first: one name may be part of another.
  const ordered = hidden.filter(([text]) => text !== "").sort(([a], [b]) => b.length - a.length);
  const labels = new Map(ordered.toReversed());
  const [long, short] = [
    ordered.filter(([text]) => text.length >= SHORTEST),
    ordered.filter(([text]) => text.length < SHORTEST),
  ];
  // A credential goes before a short name, which may be a part of it; a long name before it, since it may look like one.
  const any = [names(long), CREDENTIAL, names(short)].filter((pattern) => pattern !== "").join("|");
  // In one pass, so that a label is not taken for another name.
  const pattern = new RegExp(any, "g");
  return (sentence) => hideTails(sentence.replace(pattern, (text) => labels.get(text) ?? "••••"));
}

function names(texts: readonly [string, string][]): string {
  if (texts.length === 0) return "";
  return `(?<!\\w)(?:${texts.map(([text]) => literally(text)).join("|")})(?!\\w)`;
}

/** By its place in the panel, which whoever reads the report at home can look up. */
export function keyLabel(place: number): string {
  return l10n.t("key {0}", place + 1);
}

export function proxyLabel(place: number): string {
  return l10n.t("proxy {0}", place + 1);
}

function addressParts(maskedUrl: string, label: string): [string, string][] {
  const [, user, host] = /^\w+:\/\/(?:(.*)@)?([^/]*)/.exec(maskedUrl) ?? [];
  const name = host?.replace(/:\d+$/, "");
  const bare = name?.replace(/^\[|\]$/g, "");
  const userName = user?.split(":")[0];
  return [maskedUrl, host, name, bare, userName].flatMap((text) => (text ? [[text, label] as [string, string]] : []));
}

/** The last characters of a masked key or password. */
function hideTails(sentence: string): string {
  return sentence.replace(/••••\S{0,4}/g, "••••");
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
