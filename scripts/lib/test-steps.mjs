// What `npm test` consists of, in order: preparation, lints, unit tests, the
// package, and the tests that need real clients, proxies and editors. Names the
// programs, the time each may take and how its totals are read. It must not know
// how steps are run or added up.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureCodeServer } from "./code-server.mjs";
import { ensureNodeModules } from "./ensure.mjs";
import { cacheDir, inRoot } from "./paths.mjs";
import { checkPrerequisites } from "./prerequisites.mjs";
import { must, onPath } from "./processes.mjs";
import { program } from "./test-run.mjs";
import { libtestTotals, nextestTotals, nodeTestTotals, vitestTotals } from "./totals.mjs";

/** @typedef {import("./test-run.mjs").Step} Step */

const minutes = (/** @type {number} */ count) => count * 60_000;
const node = process.execPath;
const bin = (/** @type {string} */ package_, /** @type {string} */ file) => inRoot("node_modules", package_, file);

/** Everything a quick look needs: no system parts, no editor. @returns {Step[]} */
export function fastSteps() {
  return [prepareCheckout, ...lints, rustTests(), typeScriptTests];
}

/** Everything. @returns {Step[]} */
export function allSteps() {
  return [
    prepareCheckout,
    prepareMachine,
    ...lints,
    rustTests(),
    typeScriptTests,
    packaging,
    nodeTests("Simulated upstream", ["test/upstream"], minutes(5)),
    nodeTests("Proxies of the tests", ["test/proxies"], minutes(5)),
    nodeTests("Scripts and what tests share", ["test/scripts", "test/lib"], minutes(3)),
    nodeTests("The addon in Node", ["test/addon"], minutes(12)),
    nodeTests("Real clients through the program", ["test/contract"], minutes(15)),
    nodeTests("Faults and kills", ["test/faults"], minutes(10)),
    nodeTests("Soak with three ledgers, and stops under load", ["test/soak"], minutes(6)),
    prepareEditor,
    nodeTests("Real VS Code in a real browser", ["test/vscode"], minutes(25)),
  ];
}

/** @type {Step} */
const prepareCheckout = {
  name: "Prepare the checkout",
  essential: true,
  uncounted: true,
  async work() {
    await checkPrerequisites();
    ensureNodeModules();
    return { totals: { passed: 1, failed: 0, skipped: 0 }, output: "" };
  },
};

/** @type {Step} */
const prepareMachine = {
  name: "Prepare the machine (test/setup.sh)",
  essential: true,
  uncounted: true,
  work: program("bash", [inRoot("test", "setup.sh")], { timeoutMs: minutes(10) }),
};

/** @type {Step} */
const prepareEditor = {
  name: "Prepare VS Code for the browser",
  uncounted: true,
  async work(show) {
    await ensureCodeServer(show);
    return { totals: { passed: 1, failed: 0, skipped: 0 }, output: "" };
  },
};

/** @type {Step[]} */
const lints = [
  lint("cargo fmt", "cargo", ["fmt", "--all", "--check"]),
  lint("cargo clippy", "cargo", ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
  lint("biome", node, [bin("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", "."]),
  lint("tsc, extension", node, [bin("typescript", "bin/tsc"), "-p", "extension"]),
  lint("tsc, webview", node, [bin("typescript", "bin/tsc"), "-p", "webview"]),
];

/** @param {string} name @param {string} command @param {string[]} args @returns {Step} */
function lint(name, command, args) {
  return { name: `Lint: ${name}`, work: program(command, args, { timeoutMs: minutes(12) }) };
}

/** @returns {Step} */
function rustTests() {
  const common = ["--workspace", "--locked"];
  // nextest runs each test in a process of its own; without it the plain runner does.
  const work = onPath("cargo-nextest")
    ? program("cargo", ["nextest", "run", ...common, "--no-fail-fast"], {
        timeoutMs: minutes(15),
        totals: nextestTotals,
      })
    : program("cargo", ["test", ...common, "--all-targets", "--no-fail-fast"], {
        timeoutMs: minutes(15),
        totals: libtestTotals,
      });
  return { name: "Rust tests", work };
}

/** @type {Step} */
const typeScriptTests = {
  name: "TypeScript tests (vitest)",
  async work(show) {
    const report = join(cacheDir, "vitest.json");
    mkdirSync(cacheDir, { recursive: true });
    rmSync(report, { force: true });
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const run = program(node, [bin("vitest", "vitest.mjs"), "run", ...reporters], {
      timeoutMs: minutes(5),
      totals: () => (existsSync(report) ? vitestTotals(readFileSync(report, "utf8")) : undefined),
    });
    return run(show);
  },
};

/** @type {Step} */
const packaging = {
  name: "Build and package",
  async work(show) {
    const options = { cwd: inRoot(), timeoutMs: minutes(30), onOutput: show };
    const built = await must(node, [inRoot("scripts", "build.mjs")], options);
    const packed = await must(node, [inRoot("scripts", "package.mjs")], options);
    return { totals: { passed: 1, failed: 0, skipped: 0 }, output: built + packed };
  },
};

/**
 * Every .test.mjs below the folders, one file after the other: they share two cores and some of them measure time.
 * @param {string} name @param {string[]} folders @param {number} timeoutMs @returns {Step}
 */
function nodeTests(name, folders, timeoutMs) {
  return {
    name,
    async work(show) {
      const files = folders.flatMap(testFiles);
      if (files.length === 0) throw new Error(`There is no .test.mjs file below ${folders.join(", ")}.`);
      const args = ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files];
      return program(node, args, { timeoutMs, totals: nodeTestTotals })(show);
    },
  };
}

/** @param {string} folder */
function testFiles(folder) {
  if (!existsSync(inRoot(folder))) return [];
  return readdirSync(inRoot(folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.mjs") && !file.includes("node_modules"))
    .sort()
    .map((file) => join(folder, file));
}
