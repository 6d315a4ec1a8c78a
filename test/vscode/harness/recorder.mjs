// What a window lets out, from its first moment on: every message that passes into, out of and inside its webviews,
// every text that its workbench ever shows or says to a screen reader, and its console. It remembers all of it,
// judges nothing, and must not know the product under test. Messages between workbench and extension host are not
// among it: what a person types into an input box passes there on purpose.

/** @typedef {import('playwright-core').Page} Page */

const BINDING = "recorderPassed";
const SHOWN = "recorderShown";

export class Recorder {
  /** Messages of the webviews as JSON, oldest first. @type {string[]} */
  messages = [];
  /** What the window's console was told, by the extension host too. @type {string[]} */
  console = [];
  #page;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** Before the page is opened: what has passed already cannot be heard. @param {Page} page */
  static async attach(page) {
    const recorder = new Recorder(page);
    page.on("console", (message) => void recorder.console.push(message.text()));
    await page.exposeBinding(BINDING, (_, message) => void recorder.messages.push(message));
    await page.addInitScript(listen, { binding: BINDING, shown: SHOWN });
    return recorder;
  }

  /** Every text that the workbench has shown so far, one a line. */
  async shown() {
    const texts = await this.#page.evaluate((name) => [...Reflect.get(window, name)], SHOWN);
    return texts.join("\n");
  }
}

/** Runs inside each frame before its own scripts. @param {{binding: string, shown: string}} names */
function listen({ binding, shown }) {
  if (window === window.top) watchTexts();
  else watchMessages();

  function watchTexts() {
    /** @type {Set<string>} */
    const texts = new Set();
    Reflect.set(window, shown, texts);
    const add = (/** @type {Node} */ node) => {
      texts.add(node.textContent ?? "");
      if (!(node instanceof Element)) return;
      for (const part of [node, ...node.querySelectorAll("[aria-label], [title], [placeholder]")]) {
        for (const name of ["aria-label", "title", "placeholder"]) texts.add(part.getAttribute(name) ?? "");
      }
    };
    const observer = new MutationObserver((mutations) => {
      for (const { target, addedNodes } of mutations) {
        for (const node of addedNodes) add(node);
        // Text in pieces is read together.
        add(target instanceof Text ? (target.parentElement ?? target) : target);
      }
    });
    const attributeFilter = ["aria-label", "title", "placeholder"];
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributeFilter });
  }

  function watchMessages() {
    const tell = (/** @type {unknown} */ data) => Reflect.get(window, binding)(written(data));
    // Whoever wants to know what came in must read this property; a listener of ours would be taken off when the
    // webview's page is written.
    const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data") ?? {};
    const told = new WeakSet();
    Object.defineProperty(MessageEvent.prototype, "data", {
      configurable: true,
      enumerable: true,
      get() {
        const data = get?.call(this);
        if (!told.has(this)) tell(data);
        told.add(this);
        return data;
      },
    });
    for (const owner of [MessagePort.prototype, BroadcastChannel.prototype, window]) {
      const post = owner.postMessage;
      owner.postMessage = function (/** @type {unknown[]} */ ...args) {
        tell(args[0]);
        return Reflect.apply(post, this ?? window, args);
      };
    }
  }

  /** @param {unknown} data */
  function written(data) {
    const bytes = (/** @type {string} */ _, /** @type {unknown} */ value) =>
      value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? new TextDecoder().decode(value) : value;
    try {
      return JSON.stringify(data, bytes) ?? "";
    } catch {
      return String(data);
    }
  }
}
