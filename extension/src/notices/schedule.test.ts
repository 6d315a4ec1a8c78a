// One notification at a time, bursts gathered into one, decisions first, and nothing lost behind one that nobody closes.

import { expect, it } from "vitest";
import { Schedule } from "./schedule";

type Kind = "keys" | "proxies" | "port";
const calm = { first: false, onViewMs: 15_000 };

/** A clock that is moved by hand, and a screen whose notifications are closed by hand. */
function stage() {
  let now = 0;
  let timers: { at: number; done: () => void }[] = [];
  const shown: string[] = [];
  const closers: (() => void)[] = [];
  const silenced = new Set<Kind>();
  const schedule = new Schedule<Kind>(
    [
      { kind: "keys", gatherMs: 3000, ...calm },
      { kind: "proxies", gatherMs: 0, ...calm },
      { kind: "port", gatherMs: 0, first: true, onViewMs: 60_000 },
    ],
    {
      after(ms, done) {
        const timer = { at: now + ms, done };
        timers.push(timer);
        return () => {
          timers = timers.filter((one) => one !== timer);
        };
      },
      show(kind, items) {
        shown.push(`${kind}: ${items.join(" ")}`);
        return new Promise<void>((resolve) => closers.push(resolve));
      },
      silenced: (kind) => silenced.has(kind),
    },
  );
  const pass = (ms: number) => {
    now += ms;
    const due = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { done } of due) done();
  };
  const close = async () => {
    closers.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { schedule, pass, close, shown, silenced, left: () => timers.length };
}

it("gathers a burst until it is over, each item once", () => {
  const { schedule, pass, shown } = stage();
  for (const key of ["a", "b", "b"]) {
    schedule.add("keys", key);
    pass(2000);
  }
  expect(shown).toEqual([]);
  pass(1000);
  expect(shown).toEqual(["keys: a b"]);
});

it("shows one at a time, and what came meanwhile as one", async () => {
  const { schedule, pass, close, shown } = stage();
  schedule.add("proxies", "one");
  pass(0);
  for (const key of ["a", "b"]) schedule.add("keys", key);
  pass(5000);
  schedule.add("keys", "c");
  expect(shown).toEqual(["proxies: one"]);
  await close();
  expect(shown).toEqual(["proxies: one", "keys: a b c"]);
});

it("lets a decision go first", async () => {
  const { schedule, pass, close, shown } = stage();
  schedule.add("proxies", "one");
  pass(0);
  schedule.add("keys", "a");
  pass(3000);
  schedule.add("port", "taken");
  pass(0);
  await close();
  expect(shown).toEqual(["proxies: one", "port: taken"]);
  await close();
  expect(shown.at(-1)).toBe("keys: a");
});

it("goes on after a while when nobody closes one, and a late close shows nothing twice", async () => {
  const { schedule, pass, close, shown, left } = stage();
  schedule.add("proxies", "one");
  pass(0);
  schedule.add("proxies", "two");
  pass(0);
  pass(15_000);
  expect(shown).toEqual(["proxies: one", "proxies: two"]);
  await close();
  schedule.add("proxies", "three");
  pass(0);
  expect(shown).toHaveLength(2);
  await close();
  expect(shown).toHaveLength(3);
  await close();
  expect(left(), "no timer is left behind").toBe(0);
});

it("does not show what was withdrawn or silenced while it waited", async () => {
  const { schedule, pass, close, shown, silenced } = stage();
  schedule.add("proxies", "one");
  pass(0);
  schedule.add("port", "taken");
  schedule.add("keys", "a");
  pass(3000);
  schedule.withdraw("port");
  silenced.add("keys");
  await close();
  expect(shown).toEqual(["proxies: one"]);
});
