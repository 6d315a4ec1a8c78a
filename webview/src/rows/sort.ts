// Sorting of table rows by a column. Pure; equal rows keep the order they came in, which is the order entered.

export type Sort = { readonly column: string; readonly down: boolean };

/** What a column is sorted by; null comes last either way. */
export type SortKey<Row> = (row: Row) => string | number | null;
export type SortKeys<Row> = Readonly<Record<string, SortKey<Row>>>;

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function sorted<Row>(rows: readonly Row[], keys: SortKeys<Row>, sort: Sort | null): readonly Row[] {
  const key = sort === null ? undefined : keys[sort.column];
  if (sort === null || key === undefined) return rows;
  const way = sort.down ? -1 : 1;
  return [...rows].sort((one, other) => compare(key(one), key(other), way));
}

/** The next press of a column's header: up, down, then as entered. */
export function nextSort(sort: Sort | null, column: string): Sort | null {
  if (sort === null || sort.column !== column) return { column, down: false };
  return sort.down ? null : { column, down: true };
}

export function ariaSort(sort: Sort | null, column: string): "ascending" | "descending" | "none" {
  if (sort === null || sort.column !== column) return "none";
  return sort.down ? "descending" : "ascending";
}

function compare(one: string | number | null, other: string | number | null, way: number): number {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
  if (typeof one === "number" && typeof other === "number") return way * (one - other);
  return way * words.compare(String(one), String(other));
}
