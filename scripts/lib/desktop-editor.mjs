// The VS Code of this desktop, opened with an extra profile below one folder:
// own settings, extensions and state, so that the person's real profile is never
// touched. Says whether such a VS Code can be opened here at all. It must not
// know which extension it carries.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath, must, start } from "./processes.mjs";
import { mergeSettings } from "./settings-file.mjs";

/** Whether windows can be opened here. */
export function hasDisplay() {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform !== "linux" || Boolean(DISPLAY || WAYLAND_DISPLAY);
}

/** Whether `code` on PATH opens a VS Code of this machine, to which a separate profile can be given. */
export function canOpenDesktopEditor() {
  // In a remote terminal `code` talks to the window it belongs to and ignores the profile's folders.
  const talksToAnotherWindow = Boolean(process.env.VSCODE_IPC_HOOK_CLI);
  return hasDisplay() && !talksToAnotherWindow && findOnPath("code") !== undefined;
}

/**
 * Installs the extensions and opens a window. `closed` resolves when the person closes it.
 * @param {{folder: string, extensions: string[], settings: Record<string, unknown>}} options
 */
export async function openDesktopEditor({ folder, extensions, settings }) {
  const userData = join(folder, "user-data");
  const workspace = join(folder, "workspace");
  await mkdir(workspace, { recursive: true });
  await mergeSettings(join(userData, "User"), settings);
  const profile = ["--user-data-dir", userData, "--extensions-dir", join(folder, "extensions")];
  if (process.getuid?.() === 0) profile.push("--no-sandbox");
  const installs = extensions.flatMap((vsix) => ["--install-extension", vsix]);
  await must("code", [...profile, ...installs, "--force"], { timeoutMs: 180_000 });
  const window = start("code", [...profile, "--new-window", "--wait", "--disable-workspace-trust", workspace]);
  return {
    userData,
    closed: window.exited,
    stop: () => window.stop(),
  };
}
