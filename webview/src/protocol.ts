// Everything that passes between the extension and its panel, one type per direction: whole snapshots outward,
// intents inward. Invariant: neither direction has a place for a key, a proxy's password or the local token.

import type { Snapshot } from "../../native/addon/types.gen";

export type {
  AttemptView,
  BalanceView,
  EndpointView,
  FiguresView,
  KeyView,
  ProxyView,
  RequestView,
  RotatingView,
  Snapshot,
} from "../../native/addon/types.gen";

/** `sentAt` lets the panel count down by the extension's clock, which may be another machine's. */
export type ToPanel = { readonly kind: "state"; readonly snapshot: Snapshot; readonly sentAt: number };

/** Commands that the panel may ask for as they are. */
export const PANEL_COMMANDS = [
  "addApiKey",
  "importApiKeys",
  "addProxy",
  "connectTool",
  "copyEndpoint",
  "copyLocalToken",
  "startServer",
  "stopServer",
  "restartServer",
  "showLog",
  "doctor",
] as const;

/** Commands for one key or one proxy. */
export const ROW_COMMANDS = [
  "modifyApiKey",
  "removeApiKey",
  "enableApiKey",
  "disableApiKey",
  "testApiKey",
  "editProxy",
  "removeProxy",
  "testProxy",
] as const;

export type PanelCommand = (typeof PANEL_COMMANDS)[number];
export type RowCommand = (typeof ROW_COMMANDS)[number];

/** `proxyId`: a proxy, `null` for "No Proxy", `"auto"` for the balancer's choice. */
export type Intent =
  | { readonly kind: "ready" }
  | { readonly kind: "run"; readonly command: PanelCommand }
  | { readonly kind: "run_on"; readonly command: RowCommand; readonly id: string }
  | { readonly kind: "assign"; readonly keyId: string; readonly proxyId: string | null };

export const AUTOMATIC = "auto";
