/**
 * The vocabulary of chaos: every way in which the simulated upstream can answer a request, as plain data. The error
 * bodies follow the shapes Google uses, the key inside them included where Google puts it there. Nothing here sends
 * anything or knows which request it will meet.
 */

/**
 * How an answer is delivered, whatever it says.
 * @typedef {object} Delivery
 * @property {number} [headerDelayMs] the status line waits that long
 * @property {import("./gate.mjs").Gate} [gate] each chunk waits for the test
 * @property {boolean} [gateHeaders] the status line waits at the gate too, as a chunk of its own
 * @property {number} [spacingMs] pause between chunks
 * @property {number} [cutAfterBytes] the socket is destroyed once so many body bytes (as on the wire) are out
 * @property {"auto" | "never" | "force"} [gzip]
 * @property {boolean} [beforeBody] answers without waiting for the request's body
 *
 * What the generating calls say.
 * @typedef {object} Content
 * @property {string} [text] instead of the echo of the prompt
 * @property {number} [pieces] how many chunks a stream has
 * @property {string} [finishReason] how the answer ends, instead of STOP
 * @property {{as: "data" | "bare", code?: number, message?: string}} [endingError] a 200 stream that ends in an error
 *
 * @typedef {{key: string | null, model: string | null}} Asked
 *
 * @typedef {{kind: "answer"} & Delivery & Content} Answer the ordinary answer, delivered or worded in its own way
 * @typedef {{kind: "say", status: number, headers: [string, string][], pieces: (asked: Asked) => string[]} & Delivery} Say
 * @typedef {{kind: "reset"}} Reset the connection is reset before any byte of an answer
 * @typedef {{kind: "hangUp"}} HangUp the connection is closed in good order without an answer
 * @typedef {{kind: "silence"}} Silence nothing is ever answered
 * @typedef {object} Live a Live session that goes its own way
 * @property {"live"} kind
 * @property {object[][] | null} turns what is said after the first message, the second and so on; null: an echo
 * @property {number} after how many messages are answered before the end; 0: as soon as the session is open
 * @property {"cut" | "silence" | {code: number, reason: string} | null} end without a close frame, with no more
 *   words at all, with a close frame that says this; null: the client's business
 * @typedef {Answer | Say | Reset | HangUp | Silence | Live} Behaviour
 */

const JSON_TYPE = "application/json; charset=UTF-8";
const RPC = "type.googleapis.com/google.rpc.";

/**
 * @param {number} code
 * @param {string} status
 * @param {string} message
 * @param {object[]} [details]
 */
export function googleError(code, status, message, details) {
  return { error: { code, message, status, ...(details ? { details } : {}) } };
}

/**
 * Any answer at all, word for word: for replaying a recorded one or inventing a strange one.
 * @param {{status?: number, headers?: [string, string][], pieces?: string[]} & Delivery} answer
 * @returns {Say}
 */
export function say({ status = 200, headers = [["Content-Type", JSON_TYPE]], pieces = [], ...delivery }) {
  return { kind: "say", status, headers, pieces: () => pieces, ...delivery };
}

/**
 * @param {number} code
 * @param {(asked: Asked) => object} body
 * @param {Delivery} [delivery]
 * @returns {Say}
 */
function refuse(code, body, delivery = {}) {
  const pieces = (/** @type {Asked} */ asked) => [`${JSON.stringify(body(asked), null, 2)}\n`];
  return { kind: "say", status: code, headers: [["Content-Type", JSON_TYPE]], pieces, ...delivery };
}

/** @param {Delivery & Content} [options] @returns {Answer} */
export const answer = (options = {}) => ({ kind: "answer", ...options });
/** @returns {Reset} */
export const reset = () => ({ kind: "reset" });
/** @returns {HangUp} */
export const hangUp = () => ({ kind: "hangUp" });
/** @returns {Silence} */
export const silence = () => ({ kind: "silence" });
/** A session is refused like any request: by `say`, `reset`, `hangUp`. @param {Partial<Live>} [options] @returns {Live} */
export const live = (options = {}) => ({ kind: "live", turns: null, after: 0, end: null, ...options });

const QUOTA_WORDS =
  "You exceeded your current quota, please check your plan and billing details. For more information on this error, " +
  "head to: https://ai.google.dev/gemini-api/docs/rate-limits.";

/**
 * @param {string} quotaId
 * @param {{limit: number, retryDelay: string | null}} quota
 * @param {Delivery} delivery
 */
function quotaRefusal(quotaId, { limit, retryDelay }, delivery) {
  return refuse(
    429,
    ({ model }) => {
      const metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests";
      const named = model ?? "gemini-3.8-flash";
      const violation = {
        quotaMetric: metric,
        quotaId,
        quotaDimensions: { location: "global", model: named },
        quotaValue: String(limit),
      };
      const words = `${QUOTA_WORDS}\n* Quota exceeded for metric: ${metric}, limit: ${limit}, model: ${named}`;
      const links = [
        { description: "Learn more about Gemini API quotas", url: "https://ai.google.dev/gemini-api/docs/rate-limits" },
      ];
      return googleError(429, "RESOURCE_EXHAUSTED", retryDelay ? `${words}\nPlease retry in ${retryDelay}.` : words, [
        { "@type": `${RPC}QuotaFailure`, violations: [violation] },
        { "@type": `${RPC}Help`, links },
        ...(retryDelay ? [{ "@type": `${RPC}RetryInfo`, retryDelay }] : []),
      ]);
    },
    delivery,
  );
}

/** @param {{limit?: number, retryDelay?: string | null} & Delivery} [options] */
export function quotaPerMinute({ limit = 5, retryDelay = "47s", ...delivery } = {}) {
  return quotaRefusal("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", { limit, retryDelay }, delivery);
}

/** A daily quota carries a short RetryInfo all the same; whoever believes it comes back too early. */
export function quotaPerDay({ limit = 20, retryDelay = "41s", ...delivery } = {}) {
  return quotaRefusal("GenerateRequestsPerDayPerProjectPerModel-FreeTier", { limit, retryDelay }, delivery);
}

/** A 429 without details; the delay stands in the words only, or nowhere. @param {{retryIn?: string} & Delivery} [options] */
export function quotaWithoutDetails({ retryIn, ...delivery } = {}) {
  const message = retryIn
    ? `Resource has been exhausted. Please retry in ${retryIn}.`
    : "Resource has been exhausted (e.g. check quota).";
  return refuse(429, () => googleError(429, "RESOURCE_EXHAUSTED", message), delivery);
}

/** @param {string} reason @param {Record<string, string>} [metadata] */
function errorInfo(reason, metadata = { service: "generativelanguage.googleapis.com" }) {
  return { "@type": `${RPC}ErrorInfo`, reason, domain: "googleapis.com", metadata };
}

/** @param {Delivery} [delivery] */
export function invalidKey(delivery) {
  const words = "API key not valid. Please pass a valid API key.";
  return refuse(400, () => googleError(400, "INVALID_ARGUMENT", words, [errorInfo("API_KEY_INVALID")]), delivery);
}

/** @param {Delivery} [delivery] */
export function unauthenticated(delivery) {
  const words =
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.";
  return refuse(
    401,
    () => googleError(401, "UNAUTHENTICATED", words, [errorInfo("ACCESS_TOKEN_TYPE_UNSUPPORTED")]),
    delivery,
  );
}

/** @param {Delivery} [delivery] */
export function leakedKey(delivery) {
  const words = "Your API key was reported as leaked. Please use another API key.";
  return refuse(403, () => googleError(403, "PERMISSION_DENIED", words), delivery);
}

/** Google names the whole key here, twice. @param {Delivery} [delivery] */
export function suspendedKey(delivery) {
  return refuse(
    403,
    ({ key }) => {
      const consumer = `api_key:${key ?? ""}`;
      const metadata = {
        service: "generativelanguage.googleapis.com",
        consumer: "projects/123456",
        containerInfo: consumer,
      };
      const words = `Permission denied: Consumer '${consumer}' has been suspended.`;
      return googleError(403, "PERMISSION_DENIED", words, [errorInfo("CONSUMER_SUSPENDED", metadata)]);
    },
    delivery,
  );
}

/** @param {Delivery} [delivery] */
export function serviceDisabled(delivery) {
  const words = "Generative Language API has not been used in project 123456 before or it is disabled.";
  const metadata = { service: "generativelanguage.googleapis.com", consumer: "projects/123456" };
  return refuse(
    403,
    () => googleError(403, "PERMISSION_DENIED", words, [errorInfo("SERVICE_DISABLED", metadata)]),
    delivery,
  );
}

/** @param {Delivery} [delivery] */
export function locationNotSupported(delivery) {
  return refuse(
    400,
    () => googleError(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    delivery,
  );
}

/** @param {Delivery} [delivery] */
export function badRequest(delivery) {
  const words = 'Invalid JSON payload received. Unknown name "contentz": Cannot find field.';
  return refuse(400, () => googleError(400, "INVALID_ARGUMENT", words), delivery);
}

/** @param {string | null} model @param {string} version */
export function modelNotFoundBody(model, version) {
  const words =
    `models/${model ?? ""} is not found for API version ${version}, or is not supported for generateContent. ` +
    "Call ModelService.ListModels to see the list of available models and their supported methods.";
  return googleError(404, "NOT_FOUND", words);
}

/** @param {Delivery} [delivery] */
export function modelNotFound(delivery) {
  return refuse(404, ({ model }) => modelNotFoundBody(model, "v1beta"), delivery);
}

/** @param {Delivery} [delivery] */
export function internal(delivery) {
  const words =
    "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting";
  return refuse(500, () => googleError(500, "INTERNAL", words), delivery);
}

const OVERLOADED = "The model is overloaded. Please try again later.";

/** @param {Delivery} [delivery] */
export function overloaded(delivery) {
  return refuse(503, () => googleError(503, "UNAVAILABLE", OVERLOADED), delivery);
}

/**
 * A 200 stream that breaks off in an error, as Google does when it sheds load: as a `data:` chunk, or as bare JSON.
 * @param {"data" | "bare"} as
 * @param {Delivery & Content} [options]
 */
export function streamEndingInError(as, options = {}) {
  return answer({ pieces: 1, ...options, endingError: { as, code: 503, message: OVERLOADED } });
}

/** What a load balancer in front of the API sends. @param {{status?: number} & Delivery} [options] */
export function htmlPage({ status = 502, ...delivery } = {}) {
  const page = `<!DOCTYPE html>\n<html lang=en>\n<title>Error ${status} (Server Error)!!1</title>\n<p>The server encountered a temporary error.\n</html>\n`;
  return say({ status, headers: [["Content-Type", "text/html; charset=UTF-8"]], pieces: [page], ...delivery });
}

/** An error that repeats the key it was asked with. @param {{status?: number} & Delivery} [options] */
export function errorNamingTheKey({ status = 400, ...delivery } = {}) {
  return refuse(
    status,
    ({ key }) => googleError(status, "INVALID_ARGUMENT", `Request contains an invalid argument for key ${key}.`),
    delivery,
  );
}
