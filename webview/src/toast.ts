// What became of the last thing asked here, said in a corner of the page: with "Undo" after a removal, until it is
// closed or time is up. One at a time; a newer one takes the place of the older.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement, nothing } from "lit";
import { onMessage, send } from "./host";
import type { ToldMessage } from "./protocol";
import { controls, shared } from "./styles/shared";

/** Long enough to read, to think and to reach the button by keyboard. */
const SHOWN_MS = 20_000;

export class PanelToast extends LitElement {
  static override properties = { told: { state: true } };
  static override styles = [
    shared,
    controls,
    css`
      :host {
        position: fixed;
        right: 20px;
        bottom: 20px;
        max-width: min(480px, calc(100vw - 40px));
        z-index: 1;
      }
      .toast {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 8px 12px;
        border: 1px solid var(--vscode-notifications-border, var(--line));
        border-radius: 4px;
        background: var(--vscode-notifications-background, var(--vscode-editor-background));
        color: var(--vscode-notifications-foreground, var(--vscode-foreground));
      }
      .toast.bad {
        border-color: var(--vscode-errorForeground);
      }
    `,
  ];
  declare told: ToldMessage | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = onMessage((message) => {
      if (message.kind === "told") this.#show(message);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    clearTimeout(this.#timer);
  }

  override render() {
    // The region is there before its words: a screen reader speaks only what changes in it.
    return html`<div role="status" aria-live="polite">
      ${this.told === undefined ? nothing : this.#toast(this.told)}
    </div>`;
  }

  #toast({ tone, message, undo }: ToldMessage) {
    return html`<div class="toast ${tone}" data-testid="toast">
      <span>${message}</span>
      ${
        undo === undefined
          ? nothing
          : html`<button type="button" data-testid="undo" @click=${() => this.#undo(undo)}>${l10n.t("Undo")}</button>`
      }
      <button type="button" class="plain" data-testid="toast-close" aria-label=${l10n.t("Close")} @click=${() => this.#close()}>✕</button>
    </div>`;
  }

  #undo(undo: string): void {
    this.#close();
    send({ kind: "undo", undo });
  }

  #show(told: ToldMessage): void {
    clearTimeout(this.#timer);
    this.told = told;
    this.#timer = setTimeout(() => this.#close(), SHOWN_MS);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.told = undefined;
  }
}

customElements.define("panel-toast", PanelToast);
