// Turns one batch of the core's callback into calls of the right receiver, in the order of the batch. It must not
// know what the receivers do, and a receiver that throws must not keep the rest of the batch from arriving.

import type {
  CoreMessage,
  Event,
  OpenReport,
  SecretWrite,
  Snapshot,
  WindowRole,
} from "../../../native/addon/types.gen";

export type Receivers = {
  event(event: Event): void;
  snapshot(snapshot: Snapshot): void;
  role(role: WindowRole): void;
  /** This window began to lead long after it was opened. */
  opened(report: OpenReport): void;
  vaultWanted(ticket: number): void;
  vaultWrite(ticket: number, writes: readonly SecretWrite[]): void;
  /** A receiver's own fault; the core's thread has no use for it. */
  fault(error: unknown): void;
};

/** Invariant: never throws, because an exception here would surface as the extension host's uncaught one. */
export function deliver(json: string, receivers: Receivers): void {
  for (const message of parse(json, receivers)) {
    try {
      route(message, receivers);
    } catch (error) {
      receivers.fault(error);
    }
  }
}

function parse(json: string, receivers: Receivers): CoreMessage[] {
  try {
    return JSON.parse(json);
  } catch (error) {
    receivers.fault(error);
    return [];
  }
}

function route(message: CoreMessage, receivers: Receivers): void {
  switch (message.kind) {
    case "event":
      receivers.event(message.event);
      break;
    case "snapshot":
      receivers.snapshot(message.snapshot);
      break;
    case "role":
      receivers.role(message.role);
      break;
    case "opened":
      receivers.opened(message.report);
      break;
    case "vault_wanted":
      receivers.vaultWanted(message.ticket);
      break;
    case "vault_write":
      receivers.vaultWrite(message.ticket, message.writes);
      break;
  }
}
