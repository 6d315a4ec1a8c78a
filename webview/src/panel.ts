// The page as a whole: takes in the state, keeps the time, lays the parts out and tells screen readers what changed.
// What is in a part, the part knows.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement } from "lit";
import "./endpoint/endpointCard";
import "./help";
import "./keys/keysTable";
import "./overview/overviewCharts";
import "./proxies/proxiesTable";
import "./proxies/rotatingCard";
import "./requests/requestLog";
import "./toast";
import { endpointState } from "./format/status";
import type { LearnMore } from "./help";
import { keepViewState, onMessage, send, viewState } from "./host";
import type { PlanMessage, Snapshot, StateMessage } from "./protocol";
import { shared } from "./styles/shared";

const COUNTING_MS = 1000;
const RESTING_MS = 10_000;

export class AggregatorPanel extends LitElement {
  static override properties = { state: { state: true }, plan: { state: true } };
  static override styles = [
    shared,
    css`
      main {
        display: grid;
        /* Wide tables scroll in their own box instead of widening the page. */
        grid-template-columns: minmax(0, 1fr);
        gap: 26px;
      }
      summary {
        cursor: pointer;
        margin-bottom: 8px;
      }
      summary:focus-visible {
        outline: 1px solid var(--vscode-focusBorder);
      }
      summary h2 {
        display: inline;
      }
      /* In the page for screen readers only. */
      .spoken {
        margin: 0;
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
    `,
  ];
  declare state: StateMessage | undefined;
  declare plan: PlanMessage | undefined;
  /** What the extension's clock is ahead of this page's. */
  #ahead = 0;
  #tick: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = onMessage((message) => {
      if (message.kind === "plan") this.plan = message;
      if (message.kind !== "state") return;
      this.#ahead = message.sentAt - Date.now();
      this.state = message;
    });
    send({ kind: "ready" });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    clearTimeout(this.#tick);
  }

  override updated(): void {
    clearTimeout(this.#tick);
    const counting = this.state?.snapshot.keys.some((key) => key.status === "cooling_down") ?? false;
    this.#tick = setTimeout(() => this.requestUpdate(), counting ? COUNTING_MS : RESTING_MS);
  }

  override render() {
    if (this.state === undefined) return html`<p class="note">${l10n.t("Waiting for the extension…")}</p>`;
    const { snapshot } = this.state;
    const { endpoint, keys, proxies, rotating, balance } = snapshot;
    const now = Date.now() + this.#ahead;
    return html`<main data-testid="panel" data-revision=${snapshot.revision} @learn-more=${learnMore}>
      <h1 class="spoken">${l10n.t("Gemini Aggregator")}</h1>
      <endpoint-card .endpoint=${endpoint}></endpoint-card>
      ${this.#overview(snapshot, now)}
      <keys-table .keys=${keys} .proxies=${proxies} .now=${now}></keys-table>
      <proxies-table
        .proxies=${proxies}
        .balance=${balance}
        .plan=${this.plan}
        .now=${now}
        @plan-closed=${() => this.#closePlan()}
      ></proxies-table>
      <rotating-card .rotating=${rotating} .now=${now}></rotating-card>
      <request-log
        .requests=${snapshot.requests}
        .total=${snapshot.request_count}
        .keys=${keys}
        .proxies=${proxies}
      ></request-log>
      <div class="spoken" role="status" aria-live="polite">${spoken(snapshot)}</div>
      <panel-toast></panel-toast>
    </main>`;
  }

  #overview(snapshot: Snapshot, now: number) {
    return html`<details data-testid="overview-section" ?open=${viewState().overviewShown} @toggle=${keepOpen}>
      <summary><h2>${l10n.t("Last hour")}</h2></summary>
      <inline-help .topic=${"overview"}></inline-help>
      <overview-charts
        .overview=${snapshot.overview}
        .keys=${snapshot.keys}
        .proxies=${snapshot.proxies}
        .rotating=${snapshot.rotating}
        .direct=${snapshot.direct}
        .now=${now}
      ></overview-charts>
    </details>`;
  }

  #closePlan(): void {
    this.plan = undefined;
  }
}

function keepOpen(event: Event): void {
  if (event.currentTarget instanceof HTMLDetailsElement) keepViewState({ overviewShown: event.currentTarget.open });
}

function learnMore(event: CustomEvent<LearnMore>): void {
  send({ kind: "learn", page: event.detail.page, section: event.detail.section });
}

/** Short and steady, so that screen readers speak only when something that matters has changed. */
function spoken({ endpoint, keys }: Snapshot): string {
  const available = keys.filter((key) => key.status === "available").length;
  return l10n.t("Endpoint: {0}. Keys available: {1} of {2}.", endpointState(endpoint).word, available, keys.length);
}

customElements.define("aggregator-panel", AggregatorPanel);
