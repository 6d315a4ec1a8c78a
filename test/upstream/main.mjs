#!/usr/bin/env node
/**
 * The simulated upstream as a program, for trying things by hand and for `npm run demo`. Prints one line of JSON with
 * its addresses, then serves until it is told to stop. Prints nothing about requests, so no key can slip out.
 */
import { parseArgs } from "node:util";
import { behave, startUpstream } from "./index.mjs";

const HELP = `usage: node test/upstream/main.mjs [--port N] [--tls-port N] [--gzip auto|never|force] [--spacing-ms N]
  --port        port for plain HTTP (default: a free one)
  --tls-port    port for HTTPS (default: a free one)
  --gzip        compress when the client allows it (auto), never, or always (force)
  --spacing-ms  pause between the chunks of a stream
`;

/** @param {string | undefined} text @param {string} name */
function number(text, name) {
  const value = Number(text ?? 0);
  if (!Number.isInteger(value) || value < 0 || value > 65535) {
    throw new Error(`The value of --${name} must be a whole number from 0 to 65535.`);
  }
  return value;
}

/** @param {string} text @returns {"auto" | "never" | "force"} */
function habit(text) {
  if (text === "auto" || text === "never" || text === "force") return text;
  throw new Error("The value of --gzip must be auto, never or force.");
}

/** @returns {Promise<void>} */
async function main() {
  const string = /** @type {const} */ ({ type: "string" });
  const options = {
    port: string,
    "tls-port": string,
    gzip: string,
    "spacing-ms": string,
    help: { type: /** @type {const} */ ("boolean") },
  };
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const spacingMs = number(values["spacing-ms"], "spacing-ms");
  const upstream = await startUpstream({
    port: number(values.port, "port"),
    tlsPort: number(values["tls-port"], "tls-port"),
    gzip: habit(values.gzip ?? "auto"),
  });
  if (spacingMs > 0) upstream.script.any().always(behave.answer({ spacingMs, pieces: 12 }));
  const { httpUrl, httpsUrl, caFile } = upstream;
  process.stdout.write(`${JSON.stringify({ httpUrl, httpsUrl, caFile })}\n`);
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.once(signal, async () => {
      await upstream.close();
      process.exit(0);
    });
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n${HELP}`);
  process.exit(2);
});
