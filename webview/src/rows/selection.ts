// Which rows are selected, by id. Pure: a press gives a new selection; with Shift it reaches from the row pressed last
// to this one, in the order shown.

export type Selection = { readonly ids: ReadonlySet<string>; readonly anchor: string | null };

export const nothingSelected: Selection = { ids: new Set(), anchor: null };

export function pressed(selection: Selection, id: string, shown: readonly string[], range: boolean): Selection {
  const ids = new Set(selection.ids);
  const on = !ids.has(id);
  for (const one of range ? reach(selection.anchor, id, shown) : [id]) {
    if (on) ids.add(one);
    else ids.delete(one);
  }
  return { ids, anchor: id };
}

/** All that are shown, or none when they were all selected already. What is not shown stays as it is. */
export function allPressed(selection: Selection, shown: readonly string[]): Selection {
  const ids = new Set(selection.ids);
  const every = shown.every((id) => ids.has(id));
  for (const id of shown) {
    if (every) ids.delete(id);
    else ids.add(id);
  }
  return { ids, anchor: null };
}

/** Without rows that are gone. The same selection when nothing is. */
export function stillThere(selection: Selection, present: ReadonlySet<string>): Selection {
  const ids = [...selection.ids].filter((id) => present.has(id));
  return ids.length === selection.ids.size ? selection : { ids: new Set(ids), anchor: null };
}

function reach(anchor: string | null, id: string, shown: readonly string[]): readonly string[] {
  const [from, to] = [anchor === null ? -1 : shown.indexOf(anchor), shown.indexOf(id)];
  if (from < 0 || to < 0) return [id];
  return shown.slice(Math.min(from, to), Math.max(from, to) + 1);
}
