// The requests known to the panel, newest first: those of the newest snapshot laid over those fetched before. Pure.

import type { RequestView } from "../protocol";

/**
 * The newest in front of the older ones. When the two do not meet, what lies between is not known, and the older ones
 * are given up: a list with a hole would tell a wrong story.
 * Invariant: no longer than what the core keeps, however long the panel stays open.
 */
export function withNewest(
  known: readonly RequestView[],
  newest: readonly RequestView[],
  kept: number,
): readonly RequestView[] {
  const first = known[0];
  if (first === undefined) return newest;
  const meets = newest.findIndex((request) => request.id === first.id);
  if (meets < 0) return newest;
  return meets === 0 && known.length <= kept ? known : [...newest.slice(0, meets), ...known].slice(0, kept);
}

/** Older ones behind; those that moved down meanwhile and came twice are known by their id. */
export function withOlder(known: readonly RequestView[], older: readonly RequestView[]): readonly RequestView[] {
  const ids = new Set(known.map((request) => request.id));
  return [...known, ...older.filter((request) => !ids.has(request.id))];
}
