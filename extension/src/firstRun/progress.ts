// What the walkthrough's steps wait for, as the editor's context keys, and whether the walkthrough opens by itself: once,
// for somebody who has no keys. Pure; `walkthrough.ts` is the editor's side.

import type { Snapshot } from "../../../native/addon/types.gen";

/** As in the manifest's `contributes.walkthroughs`. */
export const WALKTHROUGH = "start";

/** `hasServed`: something was asked of a model. Lists of models do not count: the editor's own chat asks for those by itself. */
export type Progress = { readonly hasKeys: boolean; readonly hasProxies: boolean; readonly hasServed: boolean };

export function progressOf({ keys, proxies, requests }: Snapshot): Progress {
  return {
    hasKeys: keys.length > 0,
    hasProxies: proxies.length > 0,
    hasServed: requests.some(({ method }) => method === "POST"),
  };
}

export type Welcome = {
  /** It was decided before, one way or the other. */
  readonly decided: boolean;
  /** The editor's own settings for what opens at the start. */
  readonly startupEditor: string;
  readonly openOnInstall: boolean;
};

/** Undefined while it cannot be known yet whether there are keys. */
export function opensWalkthrough({ endpoint, keys }: Snapshot, welcome: Welcome): boolean | undefined {
  if (welcome.decided) return false;
  if (endpoint.kind === "starting") return undefined;
  return keys.length === 0 && welcome.openOnInstall && welcome.startupEditor !== "none";
}
