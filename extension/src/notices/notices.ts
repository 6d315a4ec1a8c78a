// Notifications that ask something of the user: the server could not start, a setting or stored data needs mending, keys
// are out. It gives each kind its buttons and carries out the answer; when a notification comes, `schedule.ts` says, and
// what it says, `topics.ts`. What the answers do is handed in.

import * as l10n from "@vscode/l10n";
import type { EndpointView } from "../../../native/addon/types.gen";
import type { DocsLink } from "../docs/pages";
import type { Ui } from "../ui/ui";
import { type After, Schedule } from "./schedule";
import type { Silence } from "./silence";
import { type NoticeKind, type NoticeTopic, TOPICS, wordsOf } from "./topics";

export type Answers = {
  choosePort(port: number): Promise<void>;
  retry(): Promise<unknown>;
  showLog(): unknown;
  doctor(): Promise<unknown>;
  allowDirect(): Promise<unknown>;
  openPanel(): unknown;
  openSettings(): Promise<unknown>;
  addKey(): Promise<unknown>;
  importBackup(): Promise<unknown>;
  openDocs(link: DocsLink): Promise<unknown>;
};

type Button = { readonly label: string; press(): unknown };

export class Notices {
  readonly #ui: Pick<Ui, "askText" | "tell">;
  readonly #answers: Answers;
  readonly #silence: Pick<Silence, "has" | "add">;
  readonly #schedule: Schedule<NoticeKind>;
  #failure: string | undefined;

  constructor(
    ui: Pick<Ui, "askText" | "tell">,
    answers: Answers,
    silence: Pick<Silence, "has" | "add">,
    after: After = afterAWhile,
  ) {
    this.#ui = ui;
    this.#answers = answers;
    this.#silence = silence;
    this.#schedule = new Schedule(TOPICS, {
      after,
      show: (kind, items) => this.#show(kind, items),
      silenced: (kind) => silence.has(kind),
    });
  }

  /** Call with every state of the endpoint; only the step into a failure is told. */
  endpoint(endpoint: EndpointView): void {
    const before = this.#failure;
    this.#failure = endpoint.kind === "failed" ? endpoint.message : undefined;
    if (this.#failure === undefined) this.#schedule.withdraw("server_failed");
    else if (this.#failure !== before) this.#schedule.add("server_failed", this.#failure);
  }

  /** A sentence of one of the other kinds; for disabled keys, the key's name. */
  tell(kind: Exclude<NoticeKind, "server_failed">, item: string): void {
    this.#schedule.add(kind, item);
  }

  dispose(): void {
    this.#schedule.dispose();
  }

  async #show(kind: NoticeKind, items: readonly string[]): Promise<void> {
    const topic = TOPICS.find((candidate) => candidate.kind === kind);
    if (topic === undefined) return;
    const buttons = this.#buttons(topic);
    const labels = buttons.map(({ label }) => label);
    const answer = await this.#ui.tell(topic.level, wordsOf(kind, items), ...labels);
    await buttons.find(({ label }) => label === answer)?.press();
  }

  #buttons(topic: NoticeTopic): readonly Button[] {
    const never = { label: l10n.t("Don't Show Again"), press: () => this.#silence.add(topic.kind) };
    return [
      ...this.#ways(topic.kind),
      { label: l10n.t("Troubleshooting"), press: () => this.#answers.openDocs(topic.help) },
      ...(topic.mayBeSilenced ? [never] : []),
    ];
  }

  /** What can be done about it at once. */
  #ways(kind: NoticeKind): readonly Button[] {
    const answers = this.#answers;
    const doctor = { label: l10n.t("Run Doctor"), press: () => answers.doctor() };
    switch (kind) {
      case "server_failed":
        return [
          { label: l10n.t("Choose Another Port"), press: () => this.#askPort() },
          { label: l10n.t("Retry"), press: () => answers.retry() },
          doctor,
        ];
      case "proxies_down":
        return [{ label: l10n.t("Allow Direct Until a Proxy Is Back"), press: () => answers.allowDirect() }, doctor];
      case "settings":
        return [{ label: l10n.t("Open Settings"), press: () => answers.openSettings() }];
      case "stored_data":
        return [doctor, { label: l10n.t("Show Log"), press: () => answers.showLog() }];
      case "keys_disabled":
        return [{ label: l10n.t("Open Panel"), press: () => answers.openPanel() }];
      case "keys_lost":
        return [
          { label: l10n.t("Add API Key"), press: () => answers.addKey() },
          { label: l10n.t("Import Backup"), press: () => answers.importBackup() },
        ];
    }
  }

  async #askPort(): Promise<void> {
    const title = l10n.t("Choose Another Port");
    const question = { field: "port", title, prompt: l10n.t("A port for the local endpoint.") };
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

const afterAWhile: After = (ms, done) => {
  const timer = setTimeout(done, ms);
  return () => clearTimeout(timer);
};
