// Secrets are written in the order the core gave them, whatever the time each takes, and each ticket is answered.

import { expect, it } from "vitest";
import { type SecretStore, VaultWriter } from "./vaultWriter";

/** A store whose calls end when the test says so, in the order they began. */
class SlowStore implements SecretStore {
  readonly begun: string[] = [];
  readonly #pending: { resolve(): void; reject(error: Error): void }[] = [];

  store(name: string, value: string) {
    return this.#begin(`${name}=${value}`);
  }
  delete(name: string) {
    return this.#begin(`${name} deleted`);
  }
  end() {
    this.#pending.shift()?.resolve();
  }
  fail(message: string) {
    this.#pending.shift()?.reject(new Error(message));
  }
  #begin(what: string) {
    this.begun.push(what);
    return new Promise<void>((resolve, reject) => this.#pending.push({ resolve, reject }));
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it("begins no write before the one before it has ended, across tickets", async () => {
  const store = new SlowStore();
  const answers: unknown[] = [];
  const vault = new VaultWriter(store, (ticket, error) => answers.push([ticket, error]));
  vault.write(1, [
    { name: "k1", value: "one" },
    { name: "index", value: "[1]" },
  ]);
  vault.write(2, [{ name: "k1", value: null }]);
  await turn();
  expect(store.begun).toEqual(["k1=one"]);
  store.end();
  await turn();
  expect(store.begun).toEqual(["k1=one", "index=[1]"]);
  expect(answers).toEqual([]);
  store.end();
  await turn();
  expect(answers).toEqual([[1, undefined]]);
  expect(store.begun.at(-1)).toBe("k1 deleted");
  store.end();
  await vault.settled();
  expect(answers).toEqual([
    [1, undefined],
    [2, undefined],
  ]);
});

it("a failed write ends its ticket with the reason, and the next ticket is carried out", async () => {
  const store = new SlowStore();
  const answers: unknown[] = [];
  const vault = new VaultWriter(store, (ticket, error) => answers.push([ticket, error]));
  vault.write(1, [
    { name: "k1", value: "one" },
    { name: "index", value: "[1]" },
  ]);
  vault.write(2, [{ name: "k2", value: "two" }]);
  await turn();
  store.fail("the key ring is locked");
  await turn();
  expect(store.begun).toEqual(["k1=one", "k2=two"]);
  store.end();
  await vault.settled();
  expect(answers).toEqual([
    [1, "the key ring is locked"],
    [2, undefined],
  ]);
});
