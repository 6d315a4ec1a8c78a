// A chromium with its own lasting profile, in which a VS Code page can live:
// a page is what starts the extension host, and its profile is what seals the
// stored secrets. Finds the browser, launches it, signs in where a password is
// asked for. It must not know what is on the page beyond the sign-in form.

import { ensurePrograms, findProgram, needs } from "./system-programs.mjs";

/** @typedef {import('playwright-core').BrowserContext} BrowserContext */
/** @typedef {import('playwright-core').Page} Page */

/**
 * @param {{profile: string, headless?: boolean, width?: number, height?: number, scale?: number}} options
 * @returns {Promise<BrowserContext>}
 */
export async function openBrowser({ profile, headless = true, width = 1280, height = 800, scale = 1 }) {
  await ensurePrograms(needs.browser, "open VS Code without a window", console.log);
  // Loaded late: scripts that need no browser run before `npm ci`.
  const { chromium } = await import("playwright-core");
  return chromium.launchPersistentContext(profile, {
    executablePath: findProgram(needs.browser[0]),
    headless,
    viewport: { width, height },
    deviceScaleFactor: scale,
    // The caller's own handlers decide the order in which things end.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // The environment's proxy must not stand between the browser and loopback.
      "--no-proxy-server",
    ],
  });
}

/**
 * Opens the editor's page and signs in when it asks for the password.
 * @param {Page} page @param {string} url @param {string} [password]
 */
export async function openEditorPage(page, url, password) {
  await page.goto(url, { waitUntil: "domcontentloaded", timeout: 60_000 });
  if (password !== undefined) {
    const field = page.locator("input[name=password]");
    const workbench = page.locator(".monaco-workbench");
    await field.or(workbench).first().waitFor({ timeout: 60_000 });
    if (await field.isVisible()) {
      await field.fill(password);
      await field.press("Enter");
    }
  }
  await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 90_000 });
}
