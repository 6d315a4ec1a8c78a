// The doctor's report as Markdown, for the user to read and to attach to a question: one line for each thing looked at.

import * as l10n from "@vscode/l10n";
import type { Line, Part } from "./examine";

export type Counted = { readonly fails: number; readonly warnings: number };

export function counted(parts: readonly Part[]): Counted {
  const count = (level: Line["level"]) =>
    parts.flatMap(({ lines }) => lines).filter((line) => line.level === level).length;
  return { fails: count("fail"), warnings: count("warn") };
}

export function inWords({ fails, warnings }: Counted): string {
  if (fails + warnings === 0) return l10n.t("Everything looked at is well.");
  if (fails === 1 && warnings === 1) return l10n.t("1 failure, 1 warning.");
  if (fails === 1) return l10n.t("1 failure, {0} warnings.", warnings);
  if (warnings === 1) return l10n.t("{0} failures, 1 warning.", fails);
  return l10n.t("{0} failures, {1} warnings.", fails, warnings);
}

export function report(parts: readonly Part[]): string {
  const sections = parts.map(({ title, lines }) => `## ${title}\n\n${lines.map(written).join("\n")}\n`);
  const head = [
    `# ${l10n.t("Gemini Aggregator: doctor")}`,
    inWords(counted(parts)),
    l10n.t("Names, addresses and secrets are left out; keys and proxies go by their place in the panel."),
  ];
  return `${head.join("\n\n")}\n\n${sections.join("\n")}`;
}

function written(line: Line): string {
  const todo = line.level === "ok" ? "" : ` **${l10n.t("To do:")}** ${line.todo}`;
  return `- **${levelName(line.level)}**: ${line.what.replace(/\s+/g, " ")}${todo}`;
}

function levelName(level: Line["level"]): string {
  switch (level) {
    case "ok":
      return l10n.t("ok");
    case "warn":
      return l10n.t("warn");
    case "fail":
      return l10n.t("fail");
  }
}
