// Asks Google about every key that a list added, each through the proxy that it has from then on, and tells for each row
// what came of it. It must not know how a list is written or how a key is tested: both are the core's.
//
// Invariant: keys are added first and checked then, by the core's own test of a key, so that none ever takes another way
// than its requests take. A check that is stopped leaves all of them added, and says so.

import * as l10n from "@vscode/l10n";
import type { ListedKey, Reply } from "../../../native/addon/types.gen";
import type { App } from "./command";

type KeysListed = Extract<Reply, { kind: "keys_listed" }>;

/** What Google said of one key. */
type Verdict = "works" | "refused" | "unknown";

const AT_ONCE = 4;

/** The same reply with what Google says; a key that it refuses becomes a refused row that still has its id. */
export async function checkKeys(app: Pick<App, "session" | "ui">, reply: KeysListed): Promise<KeysListed> {
  const places = reply.entries.flatMap(({ result, id }, place) =>
    result === "added" && id !== undefined ? [{ place, id }] : [],
  );
  if (places.length === 0) return reply;
  const entries = [...reply.entries];
  const verdicts = new Map<number, Verdict>();
  const stopped = await app.ui.progress(l10n.t("Checking the new API keys with Google…"), async ({ say, signal }) => {
    const waiting = places.values();
    const work = async () => {
      for (const { place, id } of waiting) {
        if (signal.aborted) return;
        const answer = await app.session.command({ kind: "test_key", id });
        verdicts.set(place, verdictOf(answer));
        entries[place] = told(reply.entries[place], answer);
        say(l10n.t("{0} of {1} checked", verdicts.size, places.length));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return signal.aborted;
  });
  for (const { place } of places) {
    const entry = entries[place];
    if (entry === undefined || verdicts.has(place)) continue;
    entries[place] = { ...entry, message: l10n.t("{0} It was not checked.", entry.message) };
  }
  return { ...reply, message: summary(reply.message, [...verdicts.values()], places.length, stopped), entries };
}

function verdictOf(answer: Reply): Verdict {
  if (answer.kind !== "tested") return "unknown";
  if (answer.works || answer.fault === "quota") return "works";
  return answer.fault === "key" ? "refused" : "unknown";
}

function told(entry: ListedKey | undefined, answer: Reply): ListedKey {
  if (entry === undefined) throw new Error("a row that is not there was checked");
  if (answer.kind !== "tested") {
    const why = answer.kind === "refused" ? answer.message : answer.kind;
    return { ...entry, message: l10n.t("{0} It could not be checked: {1}", entry.message, why) };
  }
  if (answer.works) return { ...entry, message: l10n.t("{0} Google takes it.", entry.message) };
  const why = answer.stages.find(({ ok }) => !ok)?.words ?? answer.message;
  switch (answer.fault) {
    case "key":
      return { ...entry, result: "refused", message: l10n.t("{0} Google refuses it: {1}", entry.message, why) };
    case "quota":
      return { ...entry, message: l10n.t("{0} Google takes it; its quota is used up for now.", entry.message) };
    default:
      return { ...entry, message: l10n.t("{0} It could not be checked: {1}", entry.message, why) };
  }
}

function summary(added: string, verdicts: readonly Verdict[], of: number, stopped: boolean): string {
  const count = (wanted: Verdict) => verdicts.filter((verdict) => verdict === wanted).length;
  const rest = of - count("works") - count("refused");
  const [works, refused] = [count("works"), count("refused")];
  return stopped
    ? l10n.t(
        "{0} The check was stopped and every added key stays. Valid: {1}. Refused by Google: {2}. Not checked: {3}.",
        added,
        works,
        refused,
        rest,
      )
    : l10n.t("{0} Valid: {1}. Refused by Google: {2}. Not checked: {3}.", added, works, refused, rest);
}
