// Reads from the editor's secret storage what the core asks for at start. Which secrets those are, the core says; this
// file must not know their names or formats.

export type SecretSource = { get(name: string): Thenable<string | undefined> };

/** Every secret that exists, by name. What is read names more to read (a key's id its text), so the core is asked again. */
export async function readVault(
  secrets: SecretSource,
  namesOf: (known: Record<string, string>) => readonly string[],
): Promise<Record<string, string>> {
  const known: Record<string, string> = {};
  const asked = new Set<string>();
  for (;;) {
    const names = namesOf(known).filter((name) => !asked.has(name));
    if (names.length === 0) return known;
    for (const name of names) asked.add(name);
    const values = await Promise.all(names.map((name) => secrets.get(name)));
    names.forEach((name, place) => {
      const value = values[place];
      if (value !== undefined) known[name] = value;
    });
  }
}
