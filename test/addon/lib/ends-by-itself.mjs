/**
 * A program that opens a core, serves, prints its port, and has nothing more to do: it must end by itself, with 0,
 * although it never stops the server. Its argument says in what state it leaves the core; a change under way would
 * rightly hold it, so there it exits as an extension host does.
 */
import { Host, listening } from "./host.mjs";

const how = process.argv[2];
const amidChange = how === "told to exit while a change waits for the vault";
const host = new Host(amidChange ? { vault: () => {} } : {});
await host.open();
const { port } = listening(await host.start());
process.stdout.write(JSON.stringify({ port }));
if (how === "closed") await host.close();
if (amidChange) {
  void host.command({ kind: "add_key", key: "test-key-alpha-0001" });
  await host.until(() => host.writes.length === 1, "the write was never asked for");
  process.exit(0);
}
