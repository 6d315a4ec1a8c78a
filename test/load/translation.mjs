/**
 * What speaking the OpenAI dialect adds to a request, in CPU time of one core and without a socket: a chat decoded and
 * written as Gemini's with its answer encoded, one chunk of a stream, conversations of up to 1,000 messages, a large
 * image. Knows the promised bounds.
 */
import { measureExample } from "./example.mjs";

/** A 4 KB chat and its 4 KB answer, both ways together. */
export const LONGEST_CHAT_US = 30;
export const LONGEST_CHUNK_US = 5;
/** For each message of 1,000, against those of 10: 1 when the cost grows with the messages. */
export const MOST_GROWTH_PER_MESSAGE = 2;
/** Of a request with an image of 20 MB: everything but the image. */
export const MOST_COPIED_BYTES = 64 * 1024;

/**
 * @typedef {{name: string, bytes: number, copiedBytes: number, us: number}} Request
 * @typedef {{textChunkUs: number, callChunkUs: number, whole4kUs: number, image8mMs: number}} Answers
 * @typedef {{requests: Request[], answers: Answers}} Translation
 */

/** @returns {Promise<Translation>} */
export async function measureTranslation() {
  return { requests: await measureExample("openai_request"), answers: await measureExample("openai_answer") };
}
