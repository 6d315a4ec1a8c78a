// Numbers as the charts write them: short enough for an axis, in the reader's manner. Pure.

/** "0", "950", "1.3K", "2.4M". */
export function short(amount: number, locale?: string): string {
  return new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(amount);
}

/** "1,284": nothing left out, for the text alternatives. */
export function whole(amount: number, locale?: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(amount);
}

/** "09:41". */
export function minuteOf(at: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" }).format(at);
}
