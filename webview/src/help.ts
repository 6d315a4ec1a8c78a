// Inline help: a small "?" that opens two or three sentences on a section and a way to the page of the guide. It owns
// the texts and where they lead; opening a page is for whoever hears `learn-more`.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement } from "lit";
import { controls, shared } from "./styles/shared";

export type Topic = "endpoint" | "overview" | "keys" | "proxies" | "rotating" | "requests";
/** A page of the docs that travel with the extension, and a heading's anchor in it. */
export type LearnMore = { readonly page: "guide"; readonly section: string };
type Help = { readonly name: string; readonly text: string; readonly section: string };

/** A function, because words are in the editor's language only once the page has read them. */
export function helpOn(topic: Topic): Help {
  switch (topic) {
    case "endpoint":
      return {
        name: l10n.t("Help: endpoint"),
        text: l10n.t(
          "Your tools send their requests to this address and give the local token as their API key. The token is no Google key: it only opens this endpoint, and a new one makes the old one useless. “Connect a tool…” copies the exact text for a tool.",
        ),
        section: "connecting-tools",
      };
    case "overview":
      return {
        name: l10n.t("Help: overview"),
        text: l10n.t(
          "Requests that finished in the last hour, by minute. An error counts when it is not the caller's: 429, 500 and above, a key that Google refused, an answer that broke off. The shares below count attempts of the last 30 minutes; a request that went round takes several.",
        ),
        section: "what-is-shown-where",
      };
    case "keys":
      return {
        name: l10n.t("Help: API keys"),
        text: l10n.t(
          "Each request takes one of the available keys. A key that met a limit of Google's cools down, together with all keys of its project, and serves again by itself. Keys lie in the editor's secret storage; this page knows only their last characters.",
        ),
        section: "the-first-key",
      };
    case "proxies":
      return {
        name: l10n.t("Help: proxies"),
        text: l10n.t(
          "All requests of a key leave through its proxy. Keys get one by themselves; what you choose by hand stays until you choose “Automatic”. When a proxy fails, its keys move to one that works and come home later; nothing goes direct by itself.",
        ),
        section: "proxies",
      };
    case "rotating":
      return {
        name: l10n.t("Help: rotating proxy"),
        text: l10n.t(
          "A rotating proxy gives each connection another address. While it serves, every key leaves through it; when it fails, each key uses its own proxy until it works again.",
        ),
        section: "the-rotating-proxy",
      };
    case "requests":
      return {
        name: l10n.t("Help: requests"),
        text: l10n.t(
          "Each request with all its attempts: which key, through which proxy, and what came back. A failed attempt is followed by one with another key where that is safe. Prompts and answers are not kept.",
        ),
        section: "what-is-shown-where",
      };
  }
}

export class InlineHelp extends LitElement {
  static override properties = { topic: { attribute: false }, open: { state: true } };
  static override styles = [
    shared,
    controls,
    css`
      :host {
        display: contents;
      }
      button.ask {
        width: 18px;
        height: 18px;
        padding: 0;
        border-radius: 50%;
        border: 1px solid var(--vscode-descriptionForeground);
        background: none;
        color: var(--vscode-descriptionForeground);
        font-size: 11px;
        line-height: 1;
      }
      button.ask:hover,
      button.ask[aria-expanded="true"] {
        border-color: var(--vscode-textLink-foreground);
        color: var(--vscode-textLink-foreground);
      }
      /* A line of its own below the head it stands in, which is a wrapping row. */
      .text {
        order: 1;
        flex: 1 0 100%;
        box-sizing: border-box;
        border-left: 2px solid var(--vscode-textLink-foreground);
        padding: 2px 12px;
        font-weight: normal;
      }
      .text p {
        max-width: 90ch;
        margin: 0 0 4px;
      }
      .text button {
        margin-left: -5px;
      }
    `,
  ];
  declare topic: Topic;
  declare open: boolean;

  constructor() {
    super();
    this.open = false;
  }

  override render() {
    const { name, text, section } = helpOn(this.topic);
    return html`<button
        type="button"
        class="ask"
        data-testid="help-${this.topic}"
        aria-label=${name}
        title=${name}
        aria-expanded=${this.open ? "true" : "false"}
        aria-controls="text"
        @click=${() => {
          this.open = !this.open;
        }}
        @keydown=${this.#close}
      >
        ?
      </button>
      <div id="text" class="text" data-testid="help-text-${this.topic}" ?hidden=${!this.open} @keydown=${this.#close}>
        <p>${text}</p>
        <button type="button" class="plain" data-testid="learn-more-${this.topic}" @click=${() => this.#learn(section)}>
          ${l10n.t("Learn more")}
        </button>
      </div>`;
  }

  #close = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.open) return;
    event.stopPropagation();
    this.open = false;
    // What is hidden must not keep the focus.
    this.renderRoot.querySelector<HTMLButtonElement>("button.ask")?.focus();
  };

  #learn(section: string): void {
    const detail: LearnMore = { page: "guide", section };
    this.dispatchEvent(new CustomEvent<LearnMore>("learn-more", { detail, bubbles: true, composed: true }));
  }
}

customElements.define("inline-help", InlineHelp);
