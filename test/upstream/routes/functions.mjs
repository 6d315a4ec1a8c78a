/**
 * Function calls of the simulated model: which it makes, each first one of a step with a signature of its own, and the
 * refusal of a conversation that does not bring them back as they were. A prompt says itself what is to be called: each
 * of its lines `call NAME {args} and NAME {args}` is one step. Knows nothing of streams.
 */
import { createHmac } from "node:crypto";
import { googleError } from "../behaviour.mjs";

/**
 * @typedef {{name: string, args: Record<string, unknown>, id?: string}} FunctionCall
 * @typedef {Record<string, any>} Part
 * @typedef {{role?: string, parts?: Part[]}} Turn
 */

/** What stands in for a signature that nobody has any more; from Google's documentation. */
const SENTINEL = "skip_thought_signature_validator";

/** Google's words, known from its documentation and public issue threads. @param {string} name @param {number} turn */
const missing = (name, turn) =>
  "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and " +
  "missing thought_signature may lead to degraded model performance. Additional data, function call " +
  `\`default_api:${name}\` , position ${turn}. Please refer to ` +
  "https://ai.google.dev/gemini-api/docs/thought-signatures for more details.";

const UNEQUAL =
  "Please ensure that the number of function response parts is equal to the number of function call parts of the " +
  "function call turn.";

/** Gemini 3 and later, and names that follow the newest, sign their calls and want the signatures back. @param {string} model */
export function signs(model) {
  const version = /^gemini-(\d+)/.exec(model)?.[1];
  return version === undefined ? /^gemini-/.test(model) : Number(version) >= 3;
}

/** The same for equal values, whatever the order of their members. @param {unknown} value @returns {string} */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join()}}`;
}

/** Belongs to one call of one answer and to no other. @param {string} serial @param {FunctionCall} call */
function signature(serial, { name, args }) {
  const proof = createHmac("sha256", "the simulated upstream").update(`${serial}\n${name}\n${canonical(args)}`);
  return Buffer.from(`${serial}:${proof.digest("base64url")}`).toString("base64");
}

/** @param {string} written @param {FunctionCall} call */
function isOwn(written, call) {
  const [serial = ""] = Buffer.from(written, "base64").toString("utf8").split(":");
  return written === signature(serial, { ...call, args: call.args ?? {} });
}

/** @param {Record<string, any>} body @returns {Turn[]} */
function turnsOf(body) {
  return (Array.isArray(body.contents) ? body.contents : [body.contents]).filter(Boolean);
}

/** @param {Turn | undefined} turn @returns {FunctionCall[]} */
function callsOf(turn) {
  return (turn?.parts ?? []).map((part) => part.functionCall).filter(Boolean);
}

/** @param {Turn | undefined} turn @returns {{id?: string, name: string, response: object}[]} */
export function responsesOf(turn) {
  return (turn?.parts ?? []).map((part) => part.functionResponse).filter(Boolean);
}

/**
 * Why a conversation is refused, or null. Stricter than Google, which looks at the current turn only: every step of the
 * whole history is proved.
 * @param {string} model @param {Record<string, any>} body
 */
export function refusedTurns(model, body) {
  const turns = turnsOf(body);
  for (const [index, turn] of turns.entries()) {
    const first = (turn.parts ?? []).find((part) => part.functionCall);
    if (!first) continue;
    const refuse = (/** @type {string} */ words) => googleError(400, "INVALID_ARGUMENT", words);
    const signed = first.thoughtSignature ?? first.thought_signature;
    if (signs(model) && signed === undefined) return refuse(missing(first.functionCall.name, index + 1));
    const foreign = (turn.parts ?? []).find((part) => {
      const own = part.functionCall && (part.thoughtSignature ?? part.thought_signature);
      return own && own !== SENTINEL && !isOwn(own, part.functionCall);
    });
    if (signs(model) && foreign) return refuse("Corrupted thought signature.");
    const [calls, responses] = [callsOf(turn), responsesOf(turns[index + 1])];
    const answered = calls.every(
      (call, at) => responses[at]?.name === call.name && (!call.id || responses[at]?.id === call.id),
    );
    if (calls.length !== responses.length || !answered) return refuse(UNEQUAL);
  }
  return null;
}

/** @param {Record<string, any>} body @returns {{name: string, schema: any}[]} */
function offered(body) {
  const declared = (body.tools ?? []).flatMap(
    (/** @type {any} */ tool) => tool.functionDeclarations ?? tool.function_declarations ?? [],
  );
  const { mode, allowedFunctionNames: allowed } = body.toolConfig?.functionCallingConfig ?? {};
  if (mode === "NONE") return [];
  return declared
    .map((/** @type {any} */ one) => ({ name: one.name, schema: one.parametersJsonSchema ?? one.parameters }))
    .filter((/** @type {{name: string}} */ one) => !allowed || allowed.includes(one.name));
}

/** @param {string} prompt @returns {FunctionCall[][]} */
function stepsIn(prompt) {
  const lines = prompt.split("\n").filter((line) => line.startsWith("call "));
  return lines.map((line) => {
    const calls = line.slice("call ".length).split(/ and (?=[\w.:-]+ \{)/);
    return calls.map((call) => {
      const gap = call.indexOf(" ");
      return { name: call.slice(0, gap), args: JSON.parse(call.slice(gap)) };
    });
  });
}

/**
 * The calls that the model makes now: those of the next step that the prompt asks for, as far as they are offered. When
 * it must call (`ANY`) and no step says what, the first that is offered, with arguments of `sample`'s.
 * @param {Record<string, any>} body
 * @param {(schema: any) => any} sample
 * @returns {FunctionCall[]}
 */
export function callsNow(body, sample) {
  const functions = offered(body);
  if (functions.length === 0) return [];
  const turns = turnsOf(body);
  const asked = turns.findLastIndex((turn) => turn.role !== "model" && responsesOf(turn).length === 0);
  const prompt = (turns[asked]?.parts ?? []).map((part) => part.text ?? "").join("\n");
  const done = turns.slice(asked + 1).filter((turn) => callsOf(turn).length > 0).length;
  const step = stepsIn(prompt)[done];
  if (step) return step.filter(({ name }) => functions.some((one) => one.name === name));
  const [first] = functions;
  const must = body.toolConfig?.functionCallingConfig?.mode === "ANY" && done === 0;
  return must && first ? [{ name: first.name, args: first.schema ? sample(first.schema) : {} }] : [];
}

/**
 * The calls as parts: the first of a step is signed, by models that sign.
 * @param {FunctionCall[]} calls
 * @param {{model: string, fresh: (prefix: string) => string, ids: boolean}} by
 * @returns {Part[]}
 */
export function asParts(calls, { model, fresh, ids }) {
  return calls.map((call, index) => {
    const functionCall = ids ? { id: fresh("function-call-"), ...call } : call;
    const signed = index === 0 && signs(model);
    return { functionCall, ...(signed ? { thoughtSignature: signature(fresh("thought-"), call) } : {}) };
  });
}
