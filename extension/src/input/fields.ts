// Reads named fields out of something untrusted: an argument of a command, a message of the webview. It owns the
// words for what is missing or of the wrong kind; whether a value makes sense is for the core to say.

import * as l10n from "@vscode/l10n";

/** What the caller sent cannot be used; the message is a whole sentence. */
export class InvalidInput extends Error {
  readonly field: string | undefined;

  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }
}

export type Fields = {
  text(name: string): string;
  optionalText(name: string): string | undefined;
  optionalFlag(name: string): boolean | undefined;
  optionalNumber(name: string): number | undefined;
  /** The value as it came, for fields with a form of their own. */
  raw(name: string): unknown;
};

/** Invariant: a name that is not in `known` is refused, so that a misspelt field is never silently ignored. */
export function fieldsOf(input: unknown, known: readonly string[]): Fields {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new InvalidInput(l10n.t("An object with {0} is needed here.", known.join(", ")));
  }
  const values = new Map<string, unknown>(Object.entries(input));
  for (const name of values.keys()) {
    if (known.includes(name)) continue;
    throw new InvalidInput(l10n.t('"{0}" is not known here; use {1}.', name, known.join(", ")), name);
  }
  const optional = <T>(name: string, is: (value: unknown) => value is T, refusal: () => string): T | undefined => {
    const value = values.get(name);
    if (value === undefined) return undefined;
    if (!is(value)) throw new InvalidInput(refusal(), name);
    return value;
  };
  const optionalText = (name: string) => optional(name, isText, () => l10n.t('"{0}" must be text.', name));
  return {
    optionalText,
    text(name) {
      const value = optionalText(name);
      if (value === undefined) throw new InvalidInput(l10n.t('"{0}" is missing.', name), name);
      return value;
    },
    optionalFlag: (name) => optional(name, isFlag, () => l10n.t('"{0}" must be true or false.', name)),
    optionalNumber: (name) => optional(name, isNumber, () => l10n.t('"{0}" must be a number.', name)),
    raw: (name) => values.get(name),
  };
}

const isText = (value: unknown): value is string => typeof value === "string";
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** The same object without its undefined fields, as `exactOptionalPropertyTypes` and the core want them: left out. */
export function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]: Exclude<T[K], undefined> };
}
