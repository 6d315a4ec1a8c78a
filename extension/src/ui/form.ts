// A few questions one after the other, then one submission; what the core refuses is asked again with the input
// kept and the core's sentence beside it. It owns this loop only and must not know what is submitted.

import type { RefusalCode, Reply } from "../../../native/addon/types.gen";
import type { TextQuestion, Ui } from "./ui";

export type Answers = ReadonlyMap<string, string>;

/** Refusals that another input can mend; for the others asking again would lead nowhere. */
const CORRECTABLE: ReadonlySet<RefusalCode> = new Set<RefusalCode>(["invalid", "duplicate"]);

/** Undefined when the user lets go at any question. */
export async function fillForm(
  ui: Pick<Ui, "askText">,
  questions: readonly TextQuestion[],
  submit: (answers: Answers) => Promise<Reply>,
): Promise<Reply | undefined> {
  const answers = new Map<string, string>();
  for (const [index, question] of questions.entries()) {
    if (question.idle?.(answers)) continue;
    const step = questions.length === 1 ? "" : `${index + 1}/${questions.length}`;
    const answer = await ui.askText(question, step);
    if (answer === undefined) return undefined;
    answers.set(question.field, answer.trim());
  }
  for (;;) {
    const reply = await submit(answers);
    if (reply.kind !== "refused" || !CORRECTABLE.has(reply.code)) return reply;
    const question = questions.find(({ field }) => field === reply.field) ?? questions[0];
    if (question === undefined) return reply;
    const kept = { ...question, value: answers.get(question.field) ?? "" };
    const answer = await ui.askText(kept, "", reply.message);
    if (answer === undefined) return undefined;
    answers.set(question.field, answer.trim());
  }
}

/** Undefined for an optional question that was left empty. */
export function filled(answers: Answers, field: string): string | undefined {
  return answers.get(field) || undefined;
}
