// Measures how late the event loop of its extension host is, and carries out
// commands there, for the benchmark: a small server on loopback whose port is
// written into the folder that the benchmark names. It must not know what is
// measured.

const { createServer } = require("node:http");
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { monitorEventLoopDelay } = require("node:perf_hooks");
const vscode = require("vscode");

/** What is measured is a timer of this many milliseconds; only what it came later is delay. */
const RESOLUTION_MS = 1;
const NANOS = 1e6;

exports.activate = (context) => {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const late = (nanos) => Math.max(0, nanos / NANOS - RESOLUTION_MS);
  const server = createServer(async (request, response) => {
    const asked = JSON.parse(Buffer.concat(await request.toArray()).toString());
    if (asked.what === "reset") delay.reset();
    if (asked.what === "run") await vscode.commands.executeCommand(asked.command, asked.argument);
    response.end(
      JSON.stringify({ p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) }),
    );
  });
  server.listen(0, "127.0.0.1", () => {
    writeFileSync(join(process.env.LOOP_DRIVER_FOLDER, `${process.pid}.port`), String(server.address().port));
  });
  context.subscriptions.push({ dispose: () => server.close() });
};
