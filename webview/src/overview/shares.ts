// Who had how much: the largest parts of a whole by name, the rest as one. Pure; the words for the rest are the caller's.

import type { FiguresView } from "../../../native/addon/types.gen";

export type Part = { readonly name: string; readonly amount: number };
export type Share = Part & { /** Of the whole, 0 to 1. */ readonly share: number };
export type Shares = {
  readonly total: number;
  readonly top: readonly Share[];
  /** What is left of those that have a part at all; undefined when all are shown. */
  readonly others: (Share & { readonly count: number }) | undefined;
};

export const TOP = 8;

/** A single one left over is shown by name: it takes no more room than "others" would. */
export function sharesOf(parts: readonly Part[], most = TOP): Shares {
  const present = parts.filter(({ amount }) => amount > 0).sort((a, b) => b.amount - a.amount);
  const total = sum(present);
  const shown = present.length <= most + 1 ? present.length : most;
  const rest = present.slice(shown);
  const share = (part: Part): Share => ({ ...part, share: part.amount / total });
  return {
    total,
    top: present.slice(0, shown).map(share),
    others: rest.length === 0 ? undefined : { ...share({ name: "", amount: sum(rest) }), count: rest.length },
  };
}

/** Attempts of the last half hour, which is as far as each entry's minutes go back. */
export function attemptsOf(name: string, figures: FiguresView): Part {
  return { name, amount: figures.minutes.attempts.reduce((total, value) => total + value, 0) };
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((total, { amount }) => total + amount, 0);
}
