// What a test's stages are called and which section of docs/troubleshooting.md helps where one fails, for the commands and
// the doctor alike. Words alone: how a test is run or shown is not known here.

import * as l10n from "@vscode/l10n";
import type { TestFault, TestStageName } from "../../../native/addon/types.gen";

export function stageName(stage: TestStageName): string {
  switch (stage) {
    case "dns":
      return l10n.t("Name lookup");
    case "connect":
      return l10n.t("Connection to Gemini");
    case "proxy_connect":
      return l10n.t("Connection to the proxy");
    case "proxy_tls":
      return l10n.t("TLS with the proxy");
    case "proxy_login":
      return l10n.t("Tunnel through the proxy");
    case "tls":
      return l10n.t("TLS with Gemini");
    case "gemini":
      return l10n.t("Answer of Gemini");
  }
}

/** The heading as it stands in the page, which is in English. */
export function sectionOf(fault: TestFault | undefined): string {
  switch (fault) {
    case "key":
    case "quota":
      return "A key fails its test";
    case "proxy":
      return "A proxy fails";
    case "upstream":
    case undefined:
      return "Gemini cannot be reached";
  }
}

/** The same heading as an address. */
export function anchorOf(fault: TestFault | undefined): string {
  return sectionOf(fault).toLowerCase().replaceAll(" ", "-");
}
