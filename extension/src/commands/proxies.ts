// The commands for proxies and for which key leaves through which: add, edit, remove, test, assign. Proxy URLs carry
// credentials: they are asked for in a native input box and go to the core alone.

import * as l10n from "@vscode/l10n";
import type { KeyView, PlannedMove, ProxyView, Reply } from "../../../native/addon/types.gen";
import { AUTOMATIC } from "../../../webview/src/protocol";
import { fieldsOf, given, InvalidInput } from "../input/fields";
import { filled, fillForm } from "../ui/form";
import type { Choice, TextQuestion } from "../ui/ui";
import { parseId, parseRemoval } from "./arguments";
import { type App, type Command, withInput } from "./command";
import { pickKey, pickProxy } from "./pick";
import { runTest } from "./testing";

const URL_EXAMPLE = "socks5://user:password@127.0.0.1:1080";

const MOVES_SHOWN = 15;

/** A proxy's id, `null` for "No Proxy", `"auto"` to let the balancer choose. */
export type ProxyChoice = string | null;

const addProxy = withInput("addProxy", {
  parse(argument) {
    const fields = fieldsOf(argument, ["url", "name"]);
    const [url, name] = [fields.text("url"), fields.optionalText("name")];
    if (isList(url) && name !== undefined) {
      throw new InvalidInput(l10n.t('A list of proxies takes its names inside: "name=url".'), "name");
    }
    return { url, name };
  },
  run: (app, { url, name }) => add(app, url, name),
  ask: (app) =>
    fillForm(
      app.ui,
      [
        urlQuestion(
          l10n.t("Add Proxy"),
          l10n.t(
            "http, https, socks, socks4, socks4a, socks5 or socks5h, with user and password where needed. Several at once: separated by commas or pasted one to a line.",
          ),
        ),
        { ...nameQuestion(l10n.t("Add Proxy"), ""), idle: (answers) => isList(answers.get("url") ?? "") },
      ],
      (answers) => add(app, answers.get("url") ?? "", filled(answers, "name")),
    ),
});

/** Several lines or several URLs; an input box takes the line breaks out of what is pasted. */
function isList(text: string): boolean {
  return text.includes("\n") || text.split("://").length > 2;
}

function add(app: App, url: string, name: string | undefined): Promise<Reply> {
  if (isList(url)) return app.session.command({ kind: "add_proxies", text: url });
  return app.session.command({ kind: "add_proxy", ...given({ url, name }) });
}

const editProxy = withInput("editProxy", {
  parse(argument) {
    const fields = fieldsOf(argument, ["id", "url", "name", "enabled"]);
    const changes = {
      url: fields.optionalText("url"),
      name: fields.optionalText("name"),
      enabled: fields.optionalFlag("enabled"),
    };
    return { id: fields.text("id"), changes: given(changes) };
  },
  run(app, { id, changes }) {
    const proxy = app.snapshot().proxies.find((candidate) => candidate.id === id);
    if (proxy !== undefined && Object.keys(changes).length === 0) return askChanges(app, proxy);
    return app.session.command({ kind: "update_proxy", id, ...changes });
  },
  async ask(app) {
    const proxy = await pickProxy(app, l10n.t("Edit which proxy?"));
    return proxy && askChanges(app, proxy);
  },
});

const removeProxy = withInput("removeProxy", {
  parse: parseRemoval,
  run(app, { id, confirm }) {
    const proxy = app.snapshot().proxies.find((candidate) => candidate.id === id);
    return confirm && proxy !== undefined
      ? confirmRemoval(app, proxy)
      : app.session.command({ kind: "remove_proxy", id });
  },
  async ask(app) {
    const proxy = await pickProxy(app, l10n.t("Remove which proxy?"));
    return proxy && confirmRemoval(app, proxy);
  },
});

async function confirmRemoval(app: App, proxy: ProxyView): Promise<Reply | undefined> {
  const question = l10n.t('Remove the proxy "{0}" ({1})?', proxy.name, proxy.masked_url);
  if (!(await app.ui.confirm(question, consequence(proxy), l10n.t("Remove")))) return;
  return app.session.command({ kind: "remove_proxy", id: proxy.id });
}

function consequence({ assigned_key_count: count }: ProxyView): string {
  if (count === 0) return l10n.t("No API key uses it.");
  return count === 1
    ? l10n.t("One API key uses it and will move to another proxy, if there is one.")
    : l10n.t("{0} API keys use it and will move to another proxy, if there is one.", count);
}

const testProxy = withInput("testProxy", {
  announce: "notify",
  parse: parseId,
  run: (app, id) => test(app, id),
  async ask(app) {
    const proxy = await pickProxy(app, l10n.t("Test which proxy?"));
    return proxy && test(app, proxy.id);
  },
});

function test(app: App, id: string): Promise<Reply | undefined> {
  const name = app.snapshot().proxies.find((proxy) => proxy.id === id)?.name ?? id;
  return runTest(app, l10n.t('Testing the proxy "{0}"…', name), { kind: "test_proxy", id });
}

const assignProxy = withInput("assignProxy", {
  parse(argument) {
    const fields = fieldsOf(argument, ["keyId", "proxyId"]);
    const proxyId = fields.raw("proxyId");
    if (proxyId !== null && typeof proxyId !== "string") {
      throw new InvalidInput(l10n.t('"proxyId" must be a proxy\'s id, null for no proxy, or "auto".'), "proxyId");
    }
    return { keyId: fields.text("keyId"), proxyId };
  },
  run: (app, { keyId, proxyId }) => assign(app, keyId, proxyId),
  async ask(app) {
    const key = await pickKey(app, l10n.t("Assign a proxy to which API key?"));
    if (key === undefined) return undefined;
    const choice = await app.ui.pick(l10n.t('Proxy for "{0}"', key.name), proxyChoices(key, app.snapshot().proxies));
    return choice && assign(app, key.id, choice.proxyId);
  },
});

function assign(app: App, keyId: string, proxyId: ProxyChoice): Promise<Reply> {
  return proxyId === AUTOMATIC
    ? app.session.command({ kind: "unassign_proxy", key_id: keyId })
    : app.session.command({ kind: "assign_proxy", key_id: keyId, proxy_id: proxyId });
}

/** Wrapped, since `undefined` means that nothing was picked and `null` that no proxy was. */
function proxyChoices(key: KeyView, proxies: readonly ProxyView[]): Choice<{ proxyId: ProxyChoice }>[] {
  const now = (is: boolean) => (is ? { description: l10n.t("now") } : {});
  return [
    {
      label: l10n.t("Automatic"),
      detail: l10n.t("The balancer chooses."),
      ...now(!key.is_manual),
      value: { proxyId: AUTOMATIC },
    },
    {
      label: l10n.t("No Proxy"),
      detail: l10n.t("This key always connects directly."),
      ...now(key.is_manual && key.proxy_id === null),
      value: { proxyId: null },
    },
    ...proxies.map((proxy) => ({
      label: proxy.name,
      detail: proxy.masked_url,
      ...now(key.is_manual && key.proxy_id === proxy.id),
      value: { proxyId: proxy.id },
    })),
  ];
}

function askChanges(app: App, proxy: ProxyView): Promise<Reply | undefined> {
  const title = l10n.t('Edit Proxy "{0}"', proxy.name);
  const keep = l10n.t("A new URL, credentials included. Leave empty to keep {0}.", proxy.masked_url);
  return fillForm(app.ui, [urlQuestion(title, keep), nameQuestion(title, proxy.name)], (answers) =>
    app.session.command({
      kind: "update_proxy",
      id: proxy.id,
      ...given({ url: filled(answers, "url"), name: filled(answers, "name") }),
    }),
  );
}

function urlQuestion(title: string, prompt: string): TextQuestion {
  return { field: "url", title, prompt, placeholder: URL_EXAMPLE };
}

function nameQuestion(title: string, value: string): TextQuestion {
  return { field: "name", title, prompt: l10n.t("A name for this proxy (optional)."), placeholder: "eu-1", value };
}

/** `{confirm: true}` moves the keys at once; without an argument the moves are shown first. */
const rebalanceProxies: Command = {
  id: "rebalanceProxies",
  announce: "notify",
  async handle(app, argument) {
    if (argument !== undefined && fieldsOf(argument, ["confirm"]).optionalFlag("confirm")) return rebalance(app);
    const plan = await app.session.command({ kind: "plan_rebalance" });
    if (plan.kind !== "rebalance_plan") return plan;
    if (plan.moves.length === 0) return { kind: "done", message: plan.message };
    const agreed = await app.ui.confirm(plan.message, planned(plan.moves), l10n.t("Rebalance"));
    return agreed ? rebalance(app) : undefined;
  },
};

function rebalance(app: App): Promise<Reply> {
  return app.session.command({ kind: "rebalance_proxies" });
}

/** One move to a line; of many the first, as a dialog does not scroll. */
function planned(moves: readonly PlannedMove[]): string {
  const lines = moves
    .slice(0, MOVES_SHOWN)
    .map(({ key_name, from, to }) => l10n.t("{0}: {1} → {2}", key_name, from?.name ?? l10n.t("No Proxy"), to.name));
  const more = moves.length - MOVES_SHOWN;
  if (more === 1) lines.push(l10n.t("One more key moves."));
  else if (more > 1) lines.push(l10n.t("{0} more keys move.", more));
  return lines.join("\n");
}

export const proxyCommands: readonly Command[] = [
  addProxy,
  editProxy,
  removeProxy,
  testProxy,
  assignProxy,
  rebalanceProxies,
];
