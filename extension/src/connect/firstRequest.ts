// Waits, after a tool was connected, for the first request that can be its own, and says so once. The core does not tell
// which program sent a request, so that tools are told apart by the dialect of the path only.

import * as l10n from "@vscode/l10n";
import type { RequestView, Snapshot } from "../../../native/addon/types.gen";
import type { Dialect, Tool } from "./tools";

/** What is left to wait for after this long is not the tool that was just connected. */
const WAIT_MS = 30 * 60_000;

type Waiting = { readonly tool: Tool; readonly known: ReadonlySet<string>; readonly until: number };

export class FirstRequest {
  readonly #tell: (message: string) => void;
  #waiting: Waiting | undefined;

  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  /** A tool connected later takes the place of an earlier one. */
  expect(tool: Tool, { requests }: Pick<Snapshot, "requests">, now: number): void {
    this.#waiting = { tool, known: new Set(requests.map(({ id }) => id)), until: now + WAIT_MS };
  }

  /** Call with every snapshot. */
  seen({ requests }: Pick<Snapshot, "requests">, now: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (now > waiting.until) {
      this.#waiting = undefined;
      return;
    }
    const fits = ({ id, path }: RequestView) => !waiting.known.has(id) && speaks(waiting.tool.dialect, path);
    const first = requests.findLast(fits);
    if (first === undefined) return;
    this.#waiting = undefined;
    this.#tell(told(waiting.tool, first));
  }
}

const OPENAI = /^\/+(v1beta\/+openai\/|(v1\/+)?(chat\/completions|completions|embeddings|images|responses)\b)/;
/** Lists of models look alike in both dialects. */
const EITHER = /^\/+(v1\/+)?models(\/[^:]*)?$/;

export function speaks(dialect: Dialect, path: string): boolean {
  if (EITHER.test(path)) return true;
  return OPENAI.test(path) === (dialect === "openai");
}

function told({ label }: Tool, { method, path, status, attempts }: RequestView): string {
  const last = attempts.at(-1);
  const request = `${method} ${path}`;
  if (last === undefined) {
    return status < 400
      ? l10n.t("The first request since you connected {0} is here: {1}, answered ({2}).", label, request, status)
      : l10n.t(
          "The first request since you connected {0} is here: {1}, and the answer was an error ({2}).",
          label,
          request,
          status,
        );
  }
  return status < 400
    ? l10n.t(
        'The first request since you connected {0} is here: {1}, answered ({2}) through the key "{3}".',
        label,
        request,
        status,
        last.key_name,
      )
    : l10n.t(
        'The first request since you connected {0} is here: {1}, and the answer was an error ({2}) through the key "{3}".',
        label,
        request,
        status,
        last.key_name,
      );
}
