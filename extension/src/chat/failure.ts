// Why a chat request failed, in the words of whoever refused it, and which of VS Code's kinds of failure it is. What the
// editor makes of it is the provider's business.

import * as l10n from "@vscode/l10n";

export type FailureKind = "no_permissions" | "blocked" | "not_found" | "other";

export class ChatFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
  }
}

/** Of an answer of the endpoint that is not a success. */
export function refusal(status: number, body: string): ChatFailure {
  return new ChatFailure(
    kindOf(status),
    messageIn(body) ?? l10n.t("The Gemini endpoint answered with status {0}.", status),
  );
}

export function kindOf(status: number): FailureKind {
  if (status === 401 || status === 403) return "no_permissions";
  if (status === 404) return "not_found";
  // VS Code counts a used-up quota as blocked.
  return status === 429 ? "blocked" : "other";
}

function messageIn(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const { error } = (Array.isArray(parsed) ? parsed[0] : parsed) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? error.message : undefined;
  } catch {
    return undefined;
  }
}
