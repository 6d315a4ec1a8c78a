// What the doctor found, before anything is made of it: one type for each thing looked at. Invariant: no field holds a key,
// the local token or a proxy's password.

import type { LocalAuth, Snapshot, Tested } from "../../../native/addon/types.gen";

/** Who answers on the endpoint's port. */
export type Peer =
  | { readonly kind: "ours"; readonly version: string }
  | { readonly kind: "foreign" }
  | { readonly kind: "silent"; readonly why: string };

export type TokenFile =
  /** `private`: readable by its owner alone; undefined where the file system does not say. */
  | { readonly kind: "present"; readonly private: boolean | undefined }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly why: string };

/** What became of a value written to the editor's secret storage and read back. */
export type SecretStorage =
  | { readonly kind: "works" }
  | { readonly kind: "forgets" }
  | { readonly kind: "fails"; readonly why: string }
  /** Only the window that serves writes there. */
  | { readonly kind: "not_tried" };

/** A key or proxy put to the test, by its place in the snapshot; the rotating proxy has none. */
export type TestedPart = {
  readonly of: { readonly kind: "key" | "proxy"; readonly place: number } | { readonly kind: "rotating" };
  readonly result: Tested;
};

export type Versions = {
  readonly extension: string;
  readonly editor: string;
  readonly node: string;
  /** Platform, processor, and how the editor reaches this machine. */
  readonly machine: string;
};

export type Findings = {
  readonly snapshot: Snapshot;
  readonly port: number;
  readonly localAuth: LocalAuth;
  readonly ownUpstream: boolean;
  readonly peer: Peer;
  readonly tokenFile: TokenFile;
  readonly secretStorage: SecretStorage;
  readonly tested: readonly TestedPart[];
  /** By how much this machine's clock is ahead of Gemini's; undefined while Gemini has not answered. */
  readonly clockSkewMs: number | undefined;
  /** What was wrong with stored data at the start, as sentences. */
  readonly startWarnings: readonly string[];
  readonly versions: Versions;
};
