// Which rows of a long table are drawn: those in sight and some beside them. Pure arithmetic over rows of one height.

export type Slice = { readonly from: number; readonly to: number; readonly above: number; readonly below: number };

/** Rows drawn beyond what is in sight, so that scrolling shows no gap. */
const BESIDE = 20;

/** `above` and `below` are the heights, in pixels, that stand for the rows left out. */
export function sliceOf(count: number, rowHeight: number, top: number, height: number): Slice {
  const first = Math.floor(Math.max(0, top) / rowHeight);
  const inSight = Math.ceil(Math.max(height, rowHeight) / rowHeight);
  // Scrolled beyond a list that has become shorter: its end is shown.
  const from = Math.max(0, Math.min(first, count - inSight) - BESIDE);
  const to = Math.min(count, Math.max(first, 0) + inSight + BESIDE, from + inSight + 2 * BESIDE);
  return { from, to, above: from * rowHeight, below: (count - to) * rowHeight };
}
