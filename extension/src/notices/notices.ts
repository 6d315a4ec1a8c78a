// Notifications that ask something of the user: the server could not start, a setting or stored data needs mending.
// Each is told once, not with every snapshot that repeats it. What the answers do is handed in.

import * as l10n from "@vscode/l10n";
import type { EndpointView } from "../../../native/addon/types.gen";
import type { Ui } from "../ui/ui";

export type Answers = {
  choosePort(port: number): Promise<void>;
  retry(): Promise<unknown>;
  showLog(): void;
  doctor(): Promise<unknown>;
  allowDirect(): Promise<unknown>;
};

const CHOOSE_PORT = "Choose Another Port";
const RETRY = "Retry";
const SHOW_LOG = "Show Log";
const DOCTOR = "Run Doctor";
const ALLOW_DIRECT = "Allow Direct Until a Proxy Is Back";

export class Notices {
  readonly #ui: Pick<Ui, "askText" | "tell">;
  readonly #answers: Answers;
  #failure: string | undefined;
  readonly #warningsShown = new Set<string>();

  constructor(ui: Pick<Ui, "askText" | "tell">, answers: Answers) {
    this.#ui = ui;
    this.#answers = answers;
  }

  /** Call with every state of the endpoint; only the step into a failure is told. */
  async endpoint(endpoint: EndpointView): Promise<void> {
    const before = this.#failure;
    this.#failure = endpoint.kind === "failed" ? endpoint.message : undefined;
    if (this.#failure === undefined || this.#failure === before) return;
    const answer = await this.#ui.tell("error", this.#failure, CHOOSE_PORT, RETRY, DOCTOR);
    if (answer === CHOOSE_PORT) await this.#askPort();
    if (answer === RETRY) await this.#answers.retry();
    if (answer === DOCTOR) await this.#answers.doctor();
  }

  async warning(message: string): Promise<void> {
    if (this.#warningsShown.has(message)) return;
    this.#warningsShown.add(message);
    const answer = await this.#ui.tell("warning", message, DOCTOR, SHOW_LOG);
    this.#warningsShown.delete(message);
    if (answer === DOCTOR) await this.#answers.doctor();
    if (answer === SHOW_LOG) this.#answers.showLog();
  }

  /** No proxy works and nothing may go direct: the user may allow it for this once. */
  async proxiesDown(message: string): Promise<void> {
    const answer = await this.#ui.tell("error", message, ALLOW_DIRECT, DOCTOR, SHOW_LOG);
    if (answer === ALLOW_DIRECT) await this.#answers.allowDirect();
    if (answer === DOCTOR) await this.#answers.doctor();
    if (answer === SHOW_LOG) this.#answers.showLog();
  }

  async #askPort(): Promise<void> {
    const question = { field: "port", title: "Choose Another Port", prompt: "A port for the local endpoint." };
    let problem: string | undefined;
    let value = "";
    for (;;) {
      const answer = await this.#ui.askText({ ...question, value }, "", problem);
      if (answer === undefined) return;
      const port = parsePort(answer);
      if (port !== undefined) return this.#answers.choosePort(port);
      value = answer;
      problem = l10n.t("A port is a number from 1 to 65535, for example {0}.", 3147);
    }
  }
}

export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
}
