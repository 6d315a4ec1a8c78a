// A refused form is asked again at the faulty field, with what the user typed and the core's sentence.

import { expect, it } from "vitest";
import type { Reply } from "../../../native/addon/types.gen";
import { type Answers, fillForm } from "./form";
import type { TextQuestion } from "./ui";

const questions: TextQuestion[] = [
  { field: "url", title: "Add Proxy", prompt: "URL" },
  { field: "name", title: "Add Proxy", prompt: "Name" },
];
const done: Reply = { kind: "done", message: "Added." };

/** Answers the questions in turn and notes what was shown. */
function user(...answers: (string | undefined)[]) {
  const seen: { field: string; value: string | undefined; problem: string | undefined }[] = [];
  const askText = async ({ field, value }: TextQuestion, _step: string, problem?: string) => {
    seen.push({ field, value, problem });
    return answers.shift();
  };
  return { seen, askText };
}

it("asks in order and submits once", async () => {
  const { seen, askText } = user(" socks5://127.0.0.1:1080 ", "eu-1");
  const submitted: [string, string][][] = [];
  const reply = await fillForm({ askText }, questions, async (answers: Answers) => {
    submitted.push([...answers]);
    return done;
  });
  expect(reply).toEqual(done);
  expect(seen.map(({ field }) => field)).toEqual(["url", "name"]);
  expect(submitted).toEqual([
    [
      ["url", "socks5://127.0.0.1:1080"],
      ["name", "eu-1"],
    ],
  ]);
});

it("goes back to the faulty field with the input kept", async () => {
  const { seen, askText } = user("ftp://x", "eu-1", "http://x:1");
  const replies: Reply[] = [
    { kind: "refused", code: "invalid", message: "The scheme is not supported.", field: "url" },
    done,
  ];
  const reply = await fillForm({ askText }, questions, async () => replies.shift() ?? done);
  expect(reply).toEqual(done);
  expect(seen[2]).toEqual({ field: "url", value: "ftp://x", problem: "The scheme is not supported." });
});

it("gives back a refusal that no other input can mend", async () => {
  const refused: Reply = { kind: "refused", code: "not_saved", message: "The change was not saved." };
  const { seen, askText } = user("http://x:1", "");
  expect(await fillForm({ askText }, questions, async () => refused)).toEqual(refused);
  expect(seen).toHaveLength(2);
});

it("leaves out a question that an earlier answer made idle", async () => {
  const { seen, askText } = user("a list");
  const idle = (answers: Answers) => answers.get("url") === "a list";
  const [url, name] = questions as [TextQuestion, TextQuestion];
  expect(await fillForm({ askText }, [url, { ...name, idle }], async () => done)).toEqual(done);
  expect(seen.map(({ field }) => field)).toEqual(["url"]);
});

it("submits nothing when the user lets go", async () => {
  const { askText } = user("http://x:1", undefined);
  const reply = await fillForm({ askText }, questions, () => Promise.reject(new Error("submitted")));
  expect(reply).toBeUndefined();
});
