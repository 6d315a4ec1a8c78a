/**
 * An HTTP proxy that says in its answer to CONNECT, as rotating providers do, from which of their addresses the tunnel
 * leaves. It has no such addresses: it leaves from this machine and names the next of a list, whatever that holds.
 */
import { createServer } from "node:http";
import { connect } from "node:net";
import { LineLog } from "../lib/lines.mjs";
import { describeProxy } from "./proxy.mjs";

/**
 * @param {{header?: string, exits: string[]}} options `exits` are named in turn; an empty one leaves the header out
 * @returns {Promise<import("./proxy.mjs").Proxy>}
 */
export async function startTelling({ header = "X-ProxyMesh-IP", exits }) {
  const lines = new LineLog();
  /** @type {Set<import("node:stream").Duplex>} */
  const open = new Set();
  const keep = (/** @type {import("node:stream").Duplex} */ socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  };
  let granted = 0;
  const server = createServer((_, answer) => void answer.writeHead(405).end());
  server.on("connection", keep);
  server.on("connect", (request, client, head) => {
    const target = request.url ?? "";
    const { hostname, port } = new URL(`http://${target}`);
    const upstream = connect(Number(port), hostname);
    keep(upstream);
    upstream.on("connect", () => {
      const exit = exits[granted % exits.length];
      granted += 1;
      const entry = { at: Date.now(), user: null, target, peerPort: upstream.localPort, granted: true };
      lines.feed(`${JSON.stringify(entry)}\n`);
      client.write(`HTTP/1.1 200 Connection established\r\n${exit ? `${header}: ${exit}\r\n` : ""}\r\n`);
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return describeProxy({
    program: "telling",
    scheme: "http",
    port,
    credentials: null,
    lines,
    read: (all) => all.map((line) => JSON.parse(line)),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  });
}
