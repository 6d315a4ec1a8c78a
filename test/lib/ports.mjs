/**
 * Hands out loopback ports that the kernel says are free. For programs that cannot be asked to listen on port 0; our
 * own servers listen on 0 instead. Never gives the same port twice in one process.
 */
import { once } from "node:events";
import { createServer } from "node:net";

const given = new Set();

/** @returns {Promise<number>} */
export async function freePort() {
  for (;;) {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    server.close();
    await once(server, "close");
    if (!given.has(port)) {
      given.add(port);
      return port;
    }
  }
}
