// Keeps an element's long table short: notes how far its scroll box is scrolled and tells which rows to draw. It must
// not know what the rows are.

import { html, nothing, type ReactiveController, type ReactiveControllerHost } from "lit";
import { type Slice, sliceOf } from "./slice";

/** Up to so many rows are drawn as high as they need to be; longer tables get rows of one height. */
const DRAWN_WHOLE = 60;

/**
 * What the styles give a row of a long table: 48 pixels within, 12 of padding, 1 of the line between.
 * Invariant: as high as it is drawn; else the rows would shift under the reader while they scroll.
 */
const ROW_HEIGHT = 61;

export class RowWindow implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #top = 0;
  #height = 600;
  #waiting = false;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {}

  slice(count: number): Slice & { readonly windowed: boolean } {
    if (count <= DRAWN_WHOLE) return { from: 0, to: count, above: 0, below: 0, windowed: false };
    return { ...sliceOf(count, ROW_HEIGHT, this.#top, this.#height), windowed: true };
  }

  /** The scroll box's listener; `seen` hears how many pixels are left below. */
  readonly scrolled = (event: Event, seen?: (left: number) => void): void => {
    const box = event.currentTarget;
    if (!(box instanceof HTMLElement)) return;
    seen?.(box.scrollHeight - box.scrollTop - box.clientHeight);
    [this.#top, this.#height] = [box.scrollTop, box.clientHeight];
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#host.requestUpdate();
    });
  };
}

/** A row that stands for those not drawn. Its height is an attribute: the content policy allows no inline style. */
export function standIn(height: number, columns: number) {
  return height === 0
    ? nothing
    : html`<tr class="stand-in" aria-hidden="true"><td colspan=${columns} height=${height}></td></tr>`;
}
