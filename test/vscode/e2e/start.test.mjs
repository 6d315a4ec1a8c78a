// `npm start` as its user meets it: it ends with VS Code open, the extension
// active and the endpoint listening, and Ctrl-C ends all of it. With a desktop
// VS Code on PATH that one is opened, in a profile of its own; a stand-in plays
// it here, because a desktop is the one part no test machine has.

import assert from "node:assert/strict";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { inRoot } from "../../../scripts/lib/paths.mjs";
import { start } from "../../../scripts/lib/processes.mjs";
import { makeTempDir } from "../../lib/temp.mjs";
import { accepts, pollUntil } from "../../lib/wait.mjs";

/**
 * Starts the script in a profile for this test alone.
 * @param {string[]} flags @param {NodeJS.ProcessEnv} [env]
 */
function npmStart(flags, env = {}) {
  const profile = `start-test-${process.pid}`;
  const script = start(
    process.execPath,
    [inRoot("scripts", "start.mjs"), "--no-build", "--profile", profile, ...flags],
    {
      env: { ...process.env, ...env },
    },
  );
  const folder = inRoot(".runtime", profile);
  return {
    folder,
    script,
    endpoint: async () => (await script.waitForOutput(/The endpoint listens at (\S+)/, 150_000))[1],
    async stop() {
      await script.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

test("without a display: VS Code in the browser, the endpoint listening, all gone after Ctrl-C", {
  timeout: 200_000,
}, async (t) => {
  const started = npmStart(["--headless"]);
  t.after(started.stop);
  const endpoint = await started.endpoint();
  const health = await (await fetch(`${endpoint}/health`)).json();
  assert.equal(health.service, "gemini-aggregator");
  const [, page] = await started.script.waitForOutput(/VS Code is open at (\S+)/, 1000);
  assert.match(started.script.output, /Its password \(new at every start\): \S{12,}/);
  const login = await fetch(page);
  assert.match(login.url, /\/login/, "the page is not behind the password");

  started.script.process.kill("SIGINT");
  const { code } = await started.script.exited;
  assert.equal(code, 0);
  for (const url of [endpoint, page]) {
    await pollUntil(async () => !(await accepts(Number(new URL(url).port))), {
      what: `${new URL(url).origin} is free again`,
    });
  }
});

// Installs like VS Code (notes its arguments), and listens where its settings say while its "window" is open.
const STAND_IN = `#!${process.execPath}
const { appendFileSync, readFileSync } = require("node:fs");
const args = process.argv.slice(2);
appendFileSync(process.env.STAND_IN_NOTES, JSON.stringify(args) + "\\n");
if (args.includes("--wait")) {
  const userData = args[args.indexOf("--user-data-dir") + 1];
  const settings = JSON.parse(readFileSync(userData + "/User/settings.json", "utf8"));
  require("node:http")
    .createServer((request, answer) => {
      if (request.url === "/close-window") process.exit();
      answer.end('{"service":"gemini-aggregator"}');
    })
    .listen(settings["geminiAggregator.port"], "127.0.0.1");
}
`;

test("with `code` on PATH: the extension goes into a profile of its own, and closing the window ends the script", {
  timeout: 60_000,
}, async (t) => {
  const dir = makeTempDir("code");
  t.after(dir.dispose);
  const notes = join(dir.path, "notes");
  await writeFile(join(dir.path, "code"), STAND_IN);
  await chmod(join(dir.path, "code"), 0o755);
  const started = npmStart([], {
    PATH: `${dir.path}${delimiter}${process.env.PATH}`,
    DISPLAY: ":99",
    STAND_IN_NOTES: notes,
    VSCODE_IPC_HOOK_CLI: undefined,
  });
  t.after(started.stop);
  const endpoint = await started.endpoint();
  const [install, open] = (await readFile(notes, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(install.some((/** @type {string} */ argument) => argument.endsWith(".vsix")));
  for (const args of [install, open]) {
    for (const option of ["--user-data-dir", "--extensions-dir"]) {
      const value = args[args.indexOf(option) + 1];
      assert.ok(
        args.includes(option) && value.startsWith(started.folder),
        `${option} is not the extra profile's: ${value}`,
      );
    }
  }
  await assert.rejects(fetch(`${endpoint}/close-window`));
  assert.equal((await started.script.exited).code, 0);
});
