// Reads from the editor's secret storage what the core asks for at start. Which secrets those are, the core says;
// this file must not know their formats beyond the index's name.

/** The secret that lists the ids of all keys; the other names follow from it. */
const INDEX = "geminiApiKeysIds";

export type SecretSource = { get(name: string): Thenable<string | undefined> };

/** Every secret that exists, by name. */
export async function readVault(
  secrets: SecretSource,
  namesOf: (index: string | undefined) => readonly string[],
): Promise<Record<string, string>> {
  const index = await secrets.get(INDEX);
  const values = await Promise.all(
    namesOf(index).map(async (name): Promise<[string, string | undefined]> => [name, await secrets.get(name)]),
  );
  return Object.fromEntries(values.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
