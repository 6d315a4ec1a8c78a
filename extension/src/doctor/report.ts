// The doctor's report as Markdown, for the user to read and to attach to a question: one line for each thing looked at.

import type { Line, Part } from "./examine";

export type Counted = { readonly fails: number; readonly warnings: number };

export function counted(parts: readonly Part[]): Counted {
  const count = (level: Line["level"]) =>
    parts.flatMap(({ lines }) => lines).filter((line) => line.level === level).length;
  return { fails: count("fail"), warnings: count("warn") };
}

export function inWords({ fails, warnings }: Counted): string {
  const many = (amount: number, one: string) => `${amount} ${one}${amount === 1 ? "" : "s"}`;
  if (fails + warnings === 0) return "Everything looked at is well.";
  return `${many(fails, "failure")}, ${many(warnings, "warning")}.`;
}

export function report(parts: readonly Part[]): string {
  const sections = parts.map(({ title, lines }) => `## ${title}\n\n${lines.map(written).join("\n")}\n`);
  const head = [
    "# Gemini Aggregator: doctor",
    inWords(counted(parts)),
    "Names, addresses and secrets are left out; keys and proxies go by their place in the panel.",
  ];
  return `${head.join("\n\n")}\n\n${sections.join("\n")}`;
}

function written(line: Line): string {
  const todo = line.level === "ok" ? "" : ` **To do:** ${line.todo}`;
  return `- **${line.level}**: ${line.what.replace(/\s+/g, " ")}${todo}`;
}
