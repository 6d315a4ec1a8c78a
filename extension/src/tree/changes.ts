// Which rows the editor must ask for again: only those that differ, so that a tree of a thousand keys keeps its place
// and its selection while one of them counts down. Pure.

import type { Row } from "./rows";

/** `everything` when rows came, went or changed their order at the top, else the paths of the rows that differ. */
export type Changes = { readonly kind: "everything" } | { readonly kind: "rows"; readonly paths: readonly string[] };

/** A group whose children came, went or moved is asked for as a whole; what it holds comes with it. */
export function changesBetween(before: readonly Row[], after: readonly Row[]): Changes {
  if (!sameOrder(before, after)) return { kind: "everything" };
  const paths: string[] = [];
  after.forEach((row, index) => {
    const old = before[index];
    if (old === undefined) return;
    const differing = children(row)
      .filter((child, at) => !sameLook(child, children(old)[at]))
      .map(({ path }) => path);
    // A refreshed group brings all its children along, so it is named only when it has changed itself.
    if (!sameLook(row, old) || !sameOrder(children(old), children(row))) paths.push(row.path);
    else paths.push(...differing);
  });
  return { kind: "rows", paths };
}

function children({ children }: Row): readonly Row[] {
  return children ?? [];
}

function sameOrder(before: readonly Row[], after: readonly Row[]): boolean {
  return before.length === after.length && before.every(({ path }, index) => path === after[index]?.path);
}

function sameLook(one: Row, other: Row | undefined): boolean {
  return (
    other !== undefined &&
    one.kind === other.kind &&
    one.label === other.label &&
    one.description === other.description &&
    one.tooltip === other.tooltip &&
    one.icon.name === other.icon.name &&
    one.icon.color === other.icon.color
  );
}
