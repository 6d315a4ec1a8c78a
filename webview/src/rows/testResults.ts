// The newest test result of each row of a table, heard from the extension. It must not know what is tested.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { onMessage } from "../host";
import type { Tested } from "../protocol";

export class TestResults implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #byId = new Map<string, Tested>();
  #stop: (() => void) | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#stop = onMessage((message) => {
      if (message.kind !== "tested") return;
      this.#byId.set(message.id, message.test);
      this.#host.requestUpdate();
    });
  }

  hostDisconnected(): void {
    this.#stop?.();
  }

  of(id: string): Tested | undefined {
    return this.#byId.get(id);
  }

  close(id: string): void {
    this.#byId.delete(id);
    this.#host.requestUpdate();
  }
}
