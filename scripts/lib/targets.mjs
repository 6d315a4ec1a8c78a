// The platforms a .vsix is made for: VS Code's name of each, Rust's target and the suffix that napi gives the addon's
// file. Knows which of them this machine is; how anything is built is for the build scripts to know.

/** @typedef {{ rust: string, napi: string }} Target */

/** @type {Readonly<Record<string, Target>>} */
export const targets = {
  "linux-x64": { rust: "x86_64-unknown-linux-gnu", napi: "linux-x64-gnu" },
  "linux-arm64": { rust: "aarch64-unknown-linux-gnu", napi: "linux-arm64-gnu" },
  "alpine-x64": { rust: "x86_64-unknown-linux-musl", napi: "linux-x64-musl" },
  "alpine-arm64": { rust: "aarch64-unknown-linux-musl", napi: "linux-arm64-musl" },
  "darwin-x64": { rust: "x86_64-apple-darwin", napi: "darwin-x64" },
  "darwin-arm64": { rust: "aarch64-apple-darwin", napi: "darwin-arm64" },
  "win32-x64": { rust: "x86_64-pc-windows-msvc", napi: "win32-x64-msvc" },
  "win32-arm64": { rust: "aarch64-pc-windows-msvc", napi: "win32-arm64-msvc" },
};

/** VS Code's name of this machine's platform. */
export function hostTarget() {
  return `${system()}-${process.arch}`;
}

/** @param {string} name @returns {Target} */
export function targetNamed(name) {
  const target = targets[name];
  if (target === undefined) {
    throw new Error(`There is no build for "${name}". Use one of ${Object.keys(targets).join(", ")}.`);
  }
  return target;
}

/** VS Code calls a Linux with musl "alpine"; only a glibc names its version in Node's report. */
function system() {
  if (process.platform !== "linux") return process.platform;
  const report = /** @type {{ header: Record<string, unknown> }} */ (process.report.getReport());
  return report.header.glibcVersionRuntime === undefined ? "alpine" : "linux";
}
