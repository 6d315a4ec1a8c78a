// The tools that can be pointed at this endpoint, as data: which address each wants, and the exact text to give it. It
// knows the tools and nothing of this endpoint; what the addresses end with is checked against what each tool appends.

import * as l10n from "@vscode/l10n";

/** What a tool appends its paths to. */
export const BASES = {
  root: "",
  v1: "/v1",
  v1beta: "/v1beta",
  /** Continue joins its paths by the rules for addresses, which drop a last part without a slash. */
  v1betaSlash: "/v1beta/",
  chatCompletions: "/v1/chat/completions",
} as const;

export type Base = keyof typeof BASES;

/** Which of the endpoint's dialects it speaks. */
export type Dialect = "gemini" | "openai";

export type Tool = {
  readonly id: string;
  readonly label: string;
  readonly dialect: Dialect;
  readonly base: Base;
  /** Where the text belongs, as a sentence. */
  where(): string;
  readonly language: "sh" | "yaml" | "json" | "js" | "py" | "text";
  /** `{base}` and `{token}` are filled in; without `{token}` the tool keeps it elsewhere. */
  readonly template: string;
};

const FORM = "Use custom base URL: {base}\nAPI Key: {token}";

export const tools: readonly Tool[] = [
  {
    id: "gemini-cli",
    label: "Gemini CLI",
    dialect: "gemini",
    base: "root",
    where: () => l10n.t("In the shell that starts it."),
    language: "sh",
    template: "export GOOGLE_GEMINI_BASE_URL={base}\nexport GEMINI_API_KEY={token}\ngemini",
  },
  {
    id: "cline",
    label: "Cline",
    dialect: "gemini",
    base: "root",
    where: () => l10n.t("In Cline's settings, under API Configuration."),
    language: "text",
    template: `API Provider: Google Gemini\n${FORM}`,
  },
  {
    id: "kilo-code",
    label: "Kilo Code",
    dialect: "gemini",
    base: "root",
    where: () => l10n.t("In Kilo Code's settings, under Providers."),
    language: "text",
    template: `API Provider: Google Gemini\n${FORM}`,
  },
  {
    id: "continue",
    label: "Continue",
    dialect: "gemini",
    base: "v1betaSlash",
    where: () => l10n.t("In its config.yaml. The slash at the end of apiBase is needed."),
    language: "yaml",
    template:
      "models:\n  - name: Gemini\n    provider: gemini\n    model: gemini-2.5-pro\n    apiBase: {base}\n    apiKey: {token}",
  },
  {
    id: "genai-js",
    label: "Google Gen AI SDK for JavaScript",
    dialect: "gemini",
    base: "root",
    where: () => l10n.t("Where the client is made; GOOGLE_GEMINI_BASE_URL does the same."),
    language: "js",
    template:
      'import { GoogleGenAI } from "@google/genai";\n\nconst ai = new GoogleGenAI({ apiKey: "{token}", httpOptions: { baseUrl: "{base}" } });',
  },
  {
    id: "genai-python",
    label: "Google Gen AI SDK for Python",
    dialect: "gemini",
    base: "root",
    where: () => l10n.t("Where the client is made; GOOGLE_GEMINI_BASE_URL does the same."),
    language: "py",
    template:
      'from google import genai\nfrom google.genai import types\n\nclient = genai.Client(api_key="{token}", http_options=types.HttpOptions(base_url="{base}"))',
  },
  {
    id: "openai-js",
    label: "OpenAI SDK for JavaScript",
    dialect: "openai",
    base: "v1",
    where: () => l10n.t("Where the client is made; OPENAI_BASE_URL does the same."),
    language: "js",
    template: 'import OpenAI from "openai";\n\nconst client = new OpenAI({ apiKey: "{token}", baseURL: "{base}" });',
  },
  {
    id: "openai-python",
    label: "OpenAI SDK for Python",
    dialect: "openai",
    base: "v1",
    where: () => l10n.t("Where the client is made; OPENAI_BASE_URL does the same."),
    language: "py",
    template: 'from openai import OpenAI\n\nclient = OpenAI(api_key="{token}", base_url="{base}")',
  },
  {
    id: "aider",
    label: "aider",
    dialect: "openai",
    base: "v1",
    where: () => l10n.t("In the shell that starts it. The model's name begins with openai/, which is not sent."),
    language: "sh",
    template: "export OPENAI_API_BASE={base}\nexport OPENAI_API_KEY={token}\naider --model openai/gemini-2.5-pro",
  },
  {
    id: "opencode",
    label: "opencode",
    dialect: "gemini",
    base: "v1beta",
    where: () => l10n.t("In its opencode.json."),
    language: "json",
    template: '{\n  "provider": {\n    "google": { "options": { "baseURL": "{base}", "apiKey": "{token}" } }\n  }\n}',
  },
  {
    id: "zed",
    label: "Zed",
    dialect: "gemini",
    base: "root",
    where: () =>
      l10n.t(
        "In its settings.json. The local token goes into the form of the provider Google AI, never into that file.",
      ),
    language: "json",
    template: '{\n  "language_models": { "google": { "api_url": "{base}" } }\n}',
  },
  {
    id: "copilot",
    label: "GitHub Copilot (Custom Endpoint)",
    dialect: "openai",
    base: "chatCompletions",
    where: () =>
      l10n.t(
        "In chatLanguageModels.json: Chat: Manage Language Models, Add Models, Custom Endpoint (VS Code 1.122 or later).",
      ),
    language: "json",
    template: `[
  {
    "name": "Gemini Aggregator",
    "vendor": "customendpoint",
    "apiKey": "{token}",
    "apiType": "chat-completions",
    "models": [
      {
        "id": "gemini-2.5-pro",
        "name": "Gemini 2.5 Pro",
        "url": "{base}",
        "toolCalling": true,
        "vision": true,
        "maxInputTokens": 1000000,
        "maxOutputTokens": 65536
      }
    ]
  }
]`,
  },
  {
    id: "jetbrains",
    label: "JetBrains AI Assistant",
    dialect: "openai",
    base: "v1",
    where: () => l10n.t("In Settings, Tools, AI Assistant, Models: a third-party provider."),
    language: "text",
    template: "Provider: OpenAI-compatible\nURL: {base}\nAPI Key: {token}",
  },
  {
    id: "curl",
    label: "curl",
    dialect: "gemini",
    base: "v1beta",
    where: () => l10n.t("In any shell."),
    language: "sh",
    template: `curl -H 'x-goog-api-key: {token}' -H 'content-type: application/json' \\
  {base}/models/gemini-2.5-flash:generateContent \\
  -d '{"contents":[{"parts":[{"text":"Hello"}]}]}'`,
  },
];

/** What stands in a snippet for the token wherever it is shown rather than copied. */
export const HIDDEN_TOKEN = "••••••••";

export function takesToken({ template }: Tool): boolean {
  return template.includes("{token}");
}

export function snippet(tool: Tool, url: string, token: string): string {
  const parts: Readonly<Record<string, string>> = { base: url + BASES[tool.base], token };
  return tool.template.replace(/\{(base|token)\}/g, (_, part: string) => parts[part] ?? "");
}
