// The commands for API keys: add, modify, remove, enable, disable, test, list. Each turns its input into one command
// of the core; what a key may look like or what its state means, only the core knows.

import * as l10n from "@vscode/l10n";
import type { KeyView, Reply } from "../../../native/addon/types.gen";
import { fieldsOf, given } from "../input/fields";
import { type Answers, filled, fillForm } from "../ui/form";
import type { TextQuestion } from "../ui/ui";
import { parseId, parseRemoval } from "./arguments";
import { type App, type Command, withInput } from "./command";
import { keyChoice, pickKey } from "./pick";
import { runTest } from "./testing";

const addApiKey = withInput("addApiKey", {
  parse(argument) {
    const fields = fieldsOf(argument, ["key", "name", "project"]);
    return { key: fields.text("key"), name: fields.optionalText("name"), project: fields.optionalText("project") };
  },
  run: (app, input) => app.session.command({ kind: "add_key", ...given(input) }),
  ask: (app) =>
    fillForm(
      app.ui,
      [
        keyQuestion(l10n.t("Add API Key"), l10n.t("Paste the Gemini API key.")),
        nameQuestion(l10n.t("Add API Key"), ""),
      ],
      (a) => app.session.command({ kind: "add_key", key: a.get("key") ?? "", ...given({ name: filled(a, "name") }) }),
    ),
});

const modifyApiKey = withInput("modifyApiKey", {
  parse(argument) {
    const fields = fieldsOf(argument, ["id", "key", "name", "project"]);
    const changes = {
      key: fields.optionalText("key"),
      name: fields.optionalText("name"),
      project: fields.optionalText("project"),
    };
    return { id: fields.text("id"), changes: given(changes) };
  },
  run(app, { id, changes }) {
    const key = app.snapshot().keys.find((candidate) => candidate.id === id);
    // An id alone says which key, not what to change: the form asks for the rest.
    if (key !== undefined && Object.keys(changes).length === 0) return askChanges(app, key);
    return app.session.command({ kind: "modify_key", id, ...changes });
  },
  async ask(app) {
    const key = await pickKey(app, l10n.t("Modify which API key?"));
    return key && askChanges(app, key);
  },
});

const removeApiKey = withInput("removeApiKey", {
  parse: parseRemoval,
  run(app, { id, confirm }) {
    const key = app.snapshot().keys.find((candidate) => candidate.id === id);
    return confirm && key !== undefined ? confirmRemoval(app, key) : app.session.command({ kind: "remove_key", id });
  },
  async ask(app) {
    const key = await pickKey(app, l10n.t("Remove which API key?"));
    return key && confirmRemoval(app, key);
  },
});

/** Asks first: requests that come before an undo go out with other keys. */
async function confirmRemoval(app: App, key: KeyView): Promise<Reply | undefined> {
  const question = l10n.t('Remove the API key "{0}" ({1})?', key.name, key.masked_key);
  const detail = l10n.t("It is deleted from the editor's secret storage. Requests under way with it are finished.");
  if (!(await app.ui.confirm(question, detail, l10n.t("Remove")))) return;
  return app.session.command({ kind: "remove_key", id: key.id });
}

const testApiKey = withInput("testApiKey", {
  announce: "notify",
  parse: parseId,
  run: (app, id) => testKey(app, id),
  async ask(app) {
    const key = await pickKey(app, l10n.t("Test which API key?"));
    return key && testKey(app, key.id);
  },
});

function testKey(app: App, id: string): Promise<Reply | undefined> {
  const name = app.snapshot().keys.find((key) => key.id === id)?.name ?? id;
  return runTest(app, l10n.t('Testing the API key "{0}"…', name), { kind: "test_key", id });
}

const listApiKeys: Command = {
  id: "listApiKeys",
  announce: "nothing",
  async handle(app, argument) {
    const { keys } = app.snapshot();
    if (argument === undefined) {
      const key = await pickKey(app, l10n.t("API keys: choose one to modify it"));
      if (key !== undefined) return askChanges(app, key);
    }
    const lines = keys.map((key) => {
      const { label, description, detail } = keyChoice(key);
      return l10n.t("{0} ({1}): {2}", label, description ?? "", detail ?? "");
    });
    return { kind: "done", message: lines.length === 0 ? l10n.t("There is no API key yet.") : lines.join("\n") };
  },
};

/** Enable and disable differ in the core's command and in which keys they are for. */
function switching(
  id: string,
  kind: "enable_key" | "disable_key",
  title: () => string,
  fits: (key: KeyView) => boolean,
) {
  return withInput(id, {
    parse: parseId,
    run: (app, key) => app.session.command({ kind, id: key }),
    async ask(app) {
      const key = await pickKey(app, title(), fits);
      return key && app.session.command({ kind, id: key.id });
    },
  });
}

function askChanges(app: App, key: KeyView): Promise<Reply | undefined> {
  const title = l10n.t('Modify API Key "{0}"', key.name);
  const questions = [
    nameQuestion(title, key.name),
    {
      field: "project",
      title,
      prompt: l10n.t("Google Cloud project of this key (optional). Keys of one project share its quotas."),
      value: key.project ?? "",
    },
    { ...keyQuestion(title, l10n.t("A new API key in its place. Leave empty to keep the present one.")) },
  ];
  return fillForm(app.ui, questions, (answers) =>
    app.session.command({ kind: "modify_key", id: key.id, ...changesIn(answers) }),
  );
}

/** An emptied project takes it away; an empty name or key leaves what is there. */
function changesIn(answers: Answers) {
  return given({
    key: filled(answers, "key"),
    name: filled(answers, "name"),
    project: answers.get("project"),
  });
}

function keyQuestion(title: string, prompt: string): TextQuestion {
  return { field: "key", title, prompt, secret: true, placeholder: l10n.t("API key from Google AI Studio") };
}

function nameQuestion(title: string, value: string): TextQuestion {
  return { field: "name", title, prompt: l10n.t("A name for this key (optional)."), placeholder: "personal-1", value };
}

export const keyCommands: readonly Command[] = [
  addApiKey,
  modifyApiKey,
  removeApiKey,
  switching(
    "enableApiKey",
    "enable_key",
    () => l10n.t("Enable which API key?"),
    (key) => key.status !== "available",
  ),
  switching(
    "disableApiKey",
    "disable_key",
    () => l10n.t("Disable which API key?"),
    (key) => key.enabled,
  ),
  testApiKey,
  listApiKeys,
];
