// Takes out of a sentence of the core's what a user would not post in public: names and addresses. Keys and passwords are
// not in there in the first place.

import type { Snapshot } from "../../../native/addon/types.gen";

export type Redact = (sentence: string) => string;

export function redactor({ keys, proxies, rotating }: Snapshot, home: string): Redact {
  const hidden: [string, string][] = [
    ...keys.map((key, place): [string, string] => [key.name, keyLabel(place)]),
    ...proxies.map((proxy, place): [string, string] => [proxy.name, proxyLabel(place)]),
    ...proxies.flatMap((proxy, place) => addressParts(proxy.masked_url, `${proxyLabel(place)}'s address`)),
    ...(rotating === null ? [] : addressParts(rotating.masked_url, "the rotating proxy's address")),
    ...(rotating?.last_address ? [[rotating.last_address, "an address"] as [string, string]] : []),
    ...(home.length > 1 ? [[home, "~"] as [string, string]] : []),
  ];
  // The longest first: one name may be part of another.
  const ordered = hidden.filter(([text]) => text !== "").sort(([a], [b]) => b.length - a.length);
  if (ordered.length === 0) return hideTails;
  const labels = new Map(ordered.toReversed());
  const any = new RegExp(`(?<!\\w)(?:${ordered.map(([text]) => literally(text)).join("|")})(?!\\w)`, "g");
  // In one pass, so that a label is not taken for another name.
  return (sentence) => hideTails(sentence.replace(any, (text) => labels.get(text) ?? ""));
}

/** By its place in the panel, which whoever reads the report at home can look up. */
export function keyLabel(place: number): string {
  return `key ${place + 1}`;
}

export function proxyLabel(place: number): string {
  return `proxy ${place + 1}`;
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
