// Everything that passes between the extension and its panel, one type per direction: whole snapshots and answers
// outward, intents inward. Invariant: neither direction has a place for a key, a proxy's password or the local token.

import type { PlannedMove, RequestFilter, RequestView, Snapshot, Tested } from "../../native/addon/types.gen";

export type {
  AttemptView,
  BalanceView,
  EndpointView,
  FiguresView,
  KeyView,
  MinuteView,
  OverviewView,
  PlannedMove,
  ProxyView,
  RequestFilter,
  RequestView,
  RotatingView,
  Snapshot,
  Tested,
  TestStage,
  TokensView,
} from "../../native/addon/types.gen";

/** `sentAt` lets the panel count down by the extension's clock, which may be another machine's. */
export type StateMessage = { readonly kind: "state"; readonly snapshot: Snapshot; readonly sentAt: number };

/** A part of the request log, newest first; `asked` is the intent's number, so that a late answer is known as such. */
export type RequestsMessage = {
  readonly kind: "requests";
  readonly asked: number;
  readonly offset: number;
  readonly matched: number;
  readonly rows: readonly RequestView[];
};

/** What a rebalancing would do. */
export type PlanMessage = { readonly kind: "plan"; readonly message: string; readonly moves: readonly PlannedMove[] };

/** What became of something asked here; `undo` takes it back for some minutes. */
export type ToldMessage = {
  readonly kind: "told";
  readonly tone: "good" | "bad";
  readonly message: string;
  readonly undo?: string;
};

/** How far a test of the key or proxy with this id came; shown below its row. */
export type TestedMessage = { readonly kind: "tested"; readonly id: string; readonly test: Tested };

export type ToPanel = StateMessage | RequestsMessage | PlanMessage | ToldMessage | TestedMessage;

/** Commands that the panel may ask for as they are. */
export const PANEL_COMMANDS = [
  "addApiKey",
  "importApiKeys",
  "addProxy",
  "connectTool",
  "copyEndpoint",
  "copyLocalToken",
  "rotateLocalToken",
  "startServer",
  "stopServer",
  "restartServer",
  "showLog",
  "doctor",
  "configureRotatingProxy",
  "testRotatingProxy",
] as const;

/** Commands for one key or one proxy. */
export const ROW_COMMANDS = ["modifyApiKey", "testApiKey", "editProxy", "testProxy"] as const;

/** What may be done to several keys at once, besides giving them a proxy. */
export const KEYS_ACTIONS = ["enable", "disable", "remove"] as const;

/** Pages that the panel may open, all of them in the package. */
export const PAGES = ["guide", "connect", "troubleshooting", "configuration"] as const;

export type PanelCommand = (typeof PANEL_COMMANDS)[number];
export type RowCommand = (typeof ROW_COMMANDS)[number];
export type KeysActionName = (typeof KEYS_ACTIONS)[number];
export type Page = (typeof PAGES)[number];

/** `proxyId`: a proxy, `null` for "No Proxy", `"auto"` for the balancer's choice. */
export type Intent =
  | { readonly kind: "ready" }
  | { readonly kind: "run"; readonly command: PanelCommand }
  | { readonly kind: "run_on"; readonly command: RowCommand; readonly id: string }
  | { readonly kind: "keys"; readonly action: KeysActionName; readonly ids: readonly string[] }
  | { readonly kind: "assign"; readonly ids: readonly string[]; readonly proxyId: string | null }
  | { readonly kind: "remove_proxies"; readonly ids: readonly string[] }
  | { readonly kind: "undo"; readonly undo: string }
  | { readonly kind: "plan" }
  | { readonly kind: "rebalance" }
  | { readonly kind: "requests"; readonly asked: number; readonly offset: number; readonly filter: RequestFilter }
  | { readonly kind: "copy_request"; readonly text: string }
  | { readonly kind: "learn"; readonly page: Page; readonly section: string };

export const AUTOMATIC = "auto";

/** Rows of the request log that one intent asks for. */
export const LOG_PAGE = 200;
