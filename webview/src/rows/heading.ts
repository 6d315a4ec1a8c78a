// A column's heading that sorts when pressed, and says to all how the table is sorted.

import { html } from "lit";
import { ariaSort, type Sort } from "./sort";

export type Column = {
  readonly name: string;
  readonly label: string;
  readonly number?: boolean;
  readonly title?: string;
};

export function heading(column: Column, sort: Sort | null, press: (name: string) => void) {
  const way = ariaSort(sort, column.name);
  const arrow = way === "ascending" ? "↑" : way === "descending" ? "↓" : "";
  return html`<th scope="col" class=${column.number ? "number" : ""} aria-sort=${way}>
    <button type="button" class="heading" data-testid="sort-${column.name}" title=${column.title ?? ""} @click=${() => press(column.name)}>
      ${column.label}<span class="arrow" aria-hidden="true">${arrow}</span>
    </button>
  </th>`;
}
