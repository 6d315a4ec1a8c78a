// One request's row, and below it, when opened, all that is known of it. The text that is copied is made of the same
// words, and of nothing that is not shown.

import * as l10n from "@vscode/l10n";
import { html, nothing } from "lit";
import { requestState } from "../format/status";
import { clock, duration } from "../format/time";
import { send } from "../host";
import type { AttemptView, RequestView, TokensView } from "../protocol";
import { stateOf } from "../state";

export type RequestRow = {
  readonly request: RequestView;
  readonly open: boolean;
  readonly place: number;
  readonly press: () => void;
};

export const COLUMNS = 7;

export function requestRow({ request, open, place, press }: RequestRow) {
  const name = request.model ?? request.path;
  return html`<tr data-testid="request-row" data-request-id=${request.id} aria-rowindex=${place} class=${open ? "selected" : ""}>
    <td class="nowrap">
      <button
        type="button"
        class="twist"
        data-testid="request-details"
        aria-expanded=${open}
        aria-label=${l10n.t("Details of the request at {0} for {1}", clock(request.at), name)}
        @click=${press}
      >
        ${open ? "▾" : "▸"}
      </button>
      ${clock(request.at)}
    </td>
    <td class="nowrap" data-testid="request-dialect">${DIALECTS[request.dialect]}</td>
    <td>
      <span data-testid="request-model" class="clip" title=${name}>${name}</span>
      <div class="sub mono clip" title="${request.method} ${request.path}">${request.method} ${request.path}</div>
    </td>
    <td>
      <ol data-testid="request-attempts" class="clipped">
        ${request.attempts.map((attempt) => html`<li>${attemptWords(attempt)}</li>`)}
      </ol>
    </td>
    <td>${stateOf(requestState(request), "request-status")}</td>
    <td class="number nowrap" data-testid="request-tokens">${tokensShort(request.tokens)}</td>
    <td class="number nowrap">${duration(request.duration_ms)}</td>
  </tr>`;
}

export function requestDetails(request: RequestView) {
  const copy = () => send({ kind: "copy_request", text: textOf(request) });
  return html`<tr class="details" data-testid="request-opened">
    <td colspan=${COLUMNS}>
      <dl>
        ${facts(request).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
      </dl>
      <ol>
        ${request.attempts.map(
          (attempt) => html`<li>
            ${attemptWords(attempt)} <span class="note">${duration(attempt.duration_ms)}</span>
            ${attempt.error === null ? nothing : html`<div class="sub">${attempt.error}</div>`}
          </li>`,
        )}
      </ol>
      <button type="button" data-testid="copy-request" @click=${copy}>${l10n.t("Copy")}</button>
    </td>
  </tr>`;
}

const DIALECTS = { gemini: "Gemini", openai: "OpenAI" } as const;

export function attemptWords({ key_name, proxy_name, direct_fallback, status }: AttemptView): string {
  const direct = direct_fallback ? l10n.t("direct, no proxy works") : l10n.t("direct");
  return `${key_name} → ${proxy_name ?? direct} → ${status ?? l10n.t("no answer")}`;
}

function tokensShort(tokens: TokensView | null): string {
  return tokens === null ? "–" : `${tokens.input} → ${tokens.output}`;
}

function facts(request: RequestView): readonly (readonly [string, string])[] {
  const { tokens, first_byte_ms: first, client, error } = request;
  return [
    [l10n.t("Request"), request.id],
    [l10n.t("Time"), new Date(request.at).toISOString()],
    [l10n.t("Path"), `${request.method} ${request.path}`],
    [l10n.t("Dialect"), DIALECTS[request.dialect]],
    ...(client === null ? [] : [[l10n.t("Client"), client] as const]),
    [l10n.t("Status"), String(request.status)],
    ...(error === null ? [] : [[l10n.t("Error"), error] as const]),
    ...(first === null ? [] : [[l10n.t("First byte after"), duration(first)] as const]),
    [l10n.t("Whole answer after"), duration(request.duration_ms)],
    ...(tokens === null ? [] : [[l10n.t("Tokens"), tokenWords(tokens)] as const]),
  ];
}

function tokenWords({ input, output, cached, thought }: TokensView): string {
  return l10n.t("{0} in ({1} from a cache), {2} out ({3} of thoughts)", input, cached, output, thought);
}

export function textOf(request: RequestView): string {
  const attempts = request.attempts.map(
    (attempt) =>
      `  ${attemptWords(attempt)}, ${duration(attempt.duration_ms)}${attempt.error === null ? "" : `: ${attempt.error}`}`,
  );
  return [...facts(request).map(([name, value]) => `${name}: ${value}`), l10n.t("Attempts:"), ...attempts, ""].join(
    "\n",
  );
}
