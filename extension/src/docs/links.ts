// Which section of the docs helps with what failed: one for each kind of notification, and one for each command whose
// refusal is shown. It must not know how a link is shown or opened.

import type { Reply } from "../../../native/addon/types.gen";
import type { DocsLink, DocsPage } from "./pages";

const at = (page: DocsPage, section: string): DocsLink => ({ page, section });

export const HELP = {
  portTaken: at("troubleshooting", "the-server-does-not-start"),
  proxiesDown: at("troubleshooting", "no-proxy-works-any-more"),
  settings: at("troubleshooting", "a-setting-cannot-be-used"),
  storedData: at("troubleshooting", "damaged-data"),
  keysDisabled: at("troubleshooting", "a-key-is-disabled"),
  keysLost: at("troubleshooting", "the-keys-are-gone-after-a-restart"),
  guide: at("guide", "user-guide"),
} as const satisfies Record<string, DocsLink>;

/** What was typed or handed in cannot be used. */
const INPUT: Readonly<Record<string, DocsLink>> = {
  addApiKey: at("guide", "the-first-key"),
  modifyApiKey: at("guide", "the-first-key"),
  importApiKeys: at("configuration", "importing-keys"),
  addProxy: at("configuration", "proxy-urls"),
  editProxy: at("configuration", "proxy-urls"),
  configureRotatingProxy: at("rotating-proxy", "the-rotating-proxy"),
  exportBackup: at("backup", "export"),
  importBackup: at("backup", "import"),
};

/** It was understood and did not work out. */
const FAILURE: Readonly<Record<string, DocsLink>> = {
  testApiKey: at("troubleshooting", "a-key-fails-its-test"),
  testProxy: at("troubleshooting", "a-proxy-fails"),
  testRotatingProxy: at("troubleshooting", "the-rotating-proxy-fails"),
  configureRotatingProxy: at("troubleshooting", "the-rotating-proxy-fails"),
  exportBackup: at("backup", "export"),
  importBackup: at("backup", "import"),
  connectTool: at("troubleshooting", "the-server-does-not-start"),
  copyEndpoint: at("troubleshooting", "the-server-does-not-start"),
  copyLocalToken: at("troubleshooting", "the-server-does-not-start"),
};

/** Undefined where the message says all there is to say. */
export function helpFor(command: string, reply: Reply & { kind: "refused" }): DocsLink | undefined {
  switch (reply.code) {
    case "not_saved":
      return at("troubleshooting", "a-change-cannot-be-saved");
    case "invalid":
    case "duplicate":
      return INPUT[command];
    case "failed":
      return FAILURE[command];
    default:
      return undefined;
  }
}

/** All links of the commands, for the test that follows each. */
export const COMMAND_LINKS: readonly DocsLink[] = [
  ...Object.values(INPUT),
  ...Object.values(FAILURE),
  at("troubleshooting", "a-change-cannot-be-saved"),
];
