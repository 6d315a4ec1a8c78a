// What axe-core finds in a page, and where Tab leads in it, open shadow roots included. Both look at the page as the
// browser made it and must not know the product under test.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** @typedef {import('playwright-core').Frame} Frame */
/**
 * @typedef {object} Stop one element that Tab led to
 * @property {number} control its place among the controls of the page, -1 for what is none
 * @property {string} name
 * @property {boolean} visible whether one sees that it has the focus
 */

const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const MOST_STOPS = 1000;

/** @param {Frame} frame */
async function prepare(frame) {
  // As text it is evaluated by the browser's debugger, which no content policy binds.
  await frame.evaluate(source);
}

/**
 * Everything axe finds wrong, one line for each element.
 * @param {Frame} frame
 */
export async function violations(frame) {
  await prepare(frame);
  return frame.evaluate(async () => {
    const { axe } = /** @type {any} */ (window);
    // Nothing may be fetched: the page's content policy would refuse it.
    const { violations: found } = await axe.run(document, { resultTypes: ["violations"], preload: false });
    return /** @type {any[]} */ (found).flatMap(({ id, impact, nodes }) =>
      /** @type {any[]} */ (nodes).map(
        ({ target, failureSummary, html }) =>
          `${id} (${impact}) at ${target.flat(2).join(" >> ")}: ${failureSummary.replace(/\s+/g, " ")} ${html.replace(/\s+/g, " ").slice(0, 200)}`,
      ),
    );
  });
}

/**
 * Every control that may be used now, in the order of the page, with the name that assistive technology gives it.
 * Of a group that takes one stop together (arrow keys move inside it), only the element that takes it.
 * @param {Frame} frame
 * @returns {Promise<{name: string, what: string}[]>}
 */
export async function controls(frame) {
  await prepare(frame);
  return frame.evaluate(() => {
    const { axe } = /** @type {any} */ (window);
    /** @param {ParentNode} parent @returns {HTMLElement[]} */
    const inside = (parent) =>
      [...parent.children].flatMap((child) => [
        ...(child instanceof HTMLElement ? [child] : []),
        ...(child.shadowRoot ? inside(child.shadowRoot) : []),
        ...inside(child),
      ]);
    const usable = "button, a[href], input, select, textarea, summary, [tabindex], [contenteditable=true]";
    const found = inside(document.body).filter(
      (element) =>
        element.matches(usable) && !element.matches(":disabled") && element.tabIndex >= 0 && element.checkVisibility(),
    );
    Reflect.set(window, "controlsOfThePage", found);
    axe.setup(document);
    const named = found.map((element) => ({
      name: String(axe.commons.text.accessibleText(element)).trim(),
      what: element.cloneNode(false).outerHTML ?? element.outerHTML.slice(0, 120),
    }));
    axe.teardown();
    return named;
  });
}

/**
 * Presses Tab from the top of the page until the focus has left it, or says that it never does.
 * @param {import('playwright-core').Page} page @param {Frame} frame whose `controls` were asked for before
 */
export async function walk(page, frame) {
  await frame.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  /** @type {Stop[]} */
  const stops = [];
  const limit = MOST_STOPS;
  while (stops.length < limit) {
    await page.keyboard.press("Tab");
    const stop = await frame.evaluate(focused);
    if (stop === null) return stops;
    if (stops.some(({ control }) => control >= 0 && control === stop.control)) {
      throw new Error(`The focus came back to "${stop.name}" and never left the page.`);
    }
    stops.push(stop);
  }
  throw new Error(`The focus had not left the page after ${limit} stops.`);
}

/** Runs in the page. @returns {Stop | null} */
function focused() {
  let element = document.hasFocus() ? document.activeElement : null;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (element === null || element === document.body || element === document.documentElement) return null;
  const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(element);
  const outlined =
    outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0 && !/, 0\)$|^transparent$/.test(outlineColor);
  return {
    control: /** @type {Element[]} */ (Reflect.get(window, "controlsOfThePage")).indexOf(element),
    name: element.getAttribute("aria-label") ?? element.textContent?.trim().slice(0, 60) ?? "",
    visible: element.matches(":focus-visible") && (outlined || boxShadow !== "none"),
  };
}
