// One VS Code window as a person sees it: command palette, input boxes, quick
// picks, notifications, status bar, webview panels. Everything waits for what
// must become visible, with a deadline. It must not know the product under test
// nor how the server behind the page is run.

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { pollUntil } from "../../lib/wait.mjs";

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Locator} Locator */

const DEADLINE = 30_000;
/** For what is tried anew when it does not come. */
const SHORTLY = 1000;
/** A click that was given up although it went through would be made twice. */
const SLOWLY = 5000;

export class Workbench {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.quickInput = page.locator(".quick-input-widget");
    this.#field = this.quickInput.locator(".quick-input-filter input:visible, .quick-input-box input:visible").first();
  }

  /** @type {Locator} */
  #field;

  /**
   * Runs a command by the title the palette shows, `Category: Title`.
   * @param {string} title
   */
  async runCommand(title) {
    const row = this.#row(title);
    // A page behind another takes no keys.
    await this.page.bringToFront();
    // While the focus is on its way back from a box or a dialog into a webview, a key is lost or the palette closes again.
    const open = async () => {
      await this.page.keyboard.press("F1");
      return within(this.#field.waitFor({ timeout: SHORTLY }));
    };
    // An open palette does not show commands that an extension contributes after the words were typed, so they are typed anew.
    const found = async () =>
      (await open()) &&
      (await within(this.#field.fill(">", { timeout: SHORTLY }))) &&
      (await within(this.#field.fill(`>${title}`, { timeout: SHORTLY }))) &&
      (await within(row.waitFor({ timeout: SHORTLY }))) &&
      (await within(row.click({ timeout: SLOWLY })));
    await pollUntil(found, { timeoutMs: DEADLINE, what: `the palette offers "${title}"` });
  }

  /** Waits for the input box or quick pick that shows `prompt`. @param {string | RegExp} prompt its title or its message */
  async prompted(prompt) {
    const words = this.quickInput.locator(".quick-input-message, .quick-input-title", { hasText: prompt });
    await words.first().waitFor({ timeout: DEADLINE });
  }

  /**
   * Types into the input box that shows `prompt` (its title, prompt or placeholder) and accepts it.
   * @param {string | RegExp} prompt @param {string} text
   */
  async answer(prompt, text) {
    await this.prompted(prompt);
    await this.#field.fill(text);
    await this.#field.press("Enter");
  }

  /**
   * What the input box with this title says is wrong with the text in it.
   * @param {string | RegExp} title
   */
  async complaint(title) {
    await this.prompted(title);
    await this.quickInput.locator(".monaco-inputbox.error").waitFor({ timeout: DEADLINE });
    return (await this.quickInput.locator(".quick-input-message").textContent()) ?? "";
  }

  /**
   * Picks the entry of a quick pick whose label is `label`.
   * @param {string} label
   */
  async pick(label) {
    await this.#row(label).click({ timeout: DEADLINE });
  }

  /**
   * The same in a list too long to be drawn whole: types the label first, once the list with this title is there.
   * @param {string | RegExp} title @param {string} label
   */
  async find(title, label) {
    await this.prompted(title);
    await this.#field.fill(label);
    await this.pick(label);
  }

  /** Leaves an input box or quick pick without an answer. */
  async cancel() {
    await this.page.keyboard.press("Escape");
    await this.quickInput.waitFor({ state: "hidden", timeout: DEADLINE });
  }

  /**
   * Waits for a notification and gives its text.
   * @param {RegExp} pattern
   */
  async notification(pattern) {
    const item = this.#notification(pattern);
    await item.waitFor({ timeout: DEADLINE });
    return (await item.locator(".notification-list-item-message").textContent()) ?? "";
  }

  /**
   * Presses a notification's button.
   * @param {RegExp} pattern @param {string} button
   */
  async pressInNotification(pattern, button) {
    await this.#notification(pattern).getByRole("button", { name: button }).click({ timeout: DEADLINE });
  }

  /** The texts of all notifications on view. */
  async notifications() {
    return this.page.locator(".notifications-toasts .notification-list-item-message").allTextContents();
  }

  /**
   * Waits for a modal question and presses one of its buttons.
   * @param {RegExp} question @param {string} button
   */
  async confirm(question, button) {
    const dialog = this.page.locator(".monaco-dialog-box", { hasText: question });
    await dialog.getByRole("button", { name: button, exact: true }).click({ timeout: DEADLINE });
    await dialog.waitFor({ state: "hidden", timeout: DEADLINE });
  }

  /** What the last command copied. */
  async clipboard() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** As if copied elsewhere. @param {string} text */
  async putOnClipboard(text) {
    await this.page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  }

  /** The text of the editor in front, by way of the clipboard: the page draws only the lines in sight. */
  async document() {
    await this.page.locator(".editor-group-container.active .monaco-editor .view-lines").click({ timeout: DEADLINE });
    await this.putOnClipboard("");
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.press("Control+C");
    return pollUntil(() => this.clipboard(), { what: "the document's text is copied" });
  }

  async clearNotifications() {
    await this.runCommand("Notifications: Clear All Notifications");
    await this.page
      .locator(".notifications-toasts .notification-list-item")
      .first()
      .waitFor({ state: "hidden", timeout: DEADLINE });
  }

  /**
   * Waits for a status bar entry and gives its text.
   * @param {RegExp} pattern @param {number} [timeoutMs]
   */
  async statusBar(pattern, timeoutMs = DEADLINE) {
    const item = this.page.locator(".part.statusbar .statusbar-item", { hasText: pattern }).first();
    await item.waitFor({ timeout: timeoutMs });
    return (await item.textContent()) ?? "";
  }

  /** The page inside the webview of the front editor. */
  get panel() {
    return this.page.frameLocator("iframe.webview").frameLocator("iframe#active-frame");
  }

  /** The same as a frame: scripts evaluated there are not bound by the page's content policy. */
  async panelFrame() {
    const html = await this.panel.locator("html").elementHandle({ timeout: DEADLINE });
    const frame = await html?.ownerFrame();
    if (!frame) throw new Error("The panel's frame is gone.");
    return frame;
  }

  /**
   * Chooses a colour theme as a person does; resolves once the webview in front wears it. A settings file changed
   * behind the window's back is not noticed here.
   * @param {{label: string, kind: string, id: string}} theme the kind and the end of the id are the webview's words for it
   */
  async wearTheme({ label, kind, id }) {
    await this.runCommand("Preferences: Color Theme");
    await this.#field.fill(label);
    await this.pick(label);
    await this.quickInput.waitFor({ state: "hidden", timeout: DEADLINE });
    const body = this.panel.locator(`body[data-vscode-theme-kind="${kind}"][data-vscode-theme-id$="${id}"]`);
    await body.waitFor({ state: "attached", timeout: DEADLINE });
  }

  /** @param {string} file a .png */
  async screenshot(file) {
    await mkdir(dirname(file), { recursive: true });
    await this.page.screenshot({ path: file });
  }

  /** @param {string} label */
  #row(label) {
    return this.quickInput
      .locator(".monaco-list-row")
      .filter({ has: this.page.locator(".label-name", { hasText: new RegExp(`^${literally(label)}$`) }) })
      .first();
  }

  /** @param {RegExp} pattern */
  #notification(pattern) {
    return this.page.locator(".notifications-toasts .notification-list-item", { hasText: pattern }).first();
  }
}

/** Whether what was begun came to a good end. @param {Promise<void>} done */
function within(done) {
  return done.then(
    () => true,
    () => false,
  );
}

/** @param {string} text */
function literally(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
