// Maps the editor's settings to the core's, name by name, so that one place shows the whole correspondence. Ranges
// are the core's business: what it refuses comes back as a sentence with the core's name of the setting, which
// `settingFor` turns into the editor's.

import * as l10n from "@vscode/l10n";
import type { Settings } from "../../../native/addon/types.gen";

export const SECTION = "geminiAggregator";

/** Reads one setting of the section; the manifest gives every one a default. */
export type ReadSetting = <T>(name: string) => T;

export function readSettings(read: ReadSetting): Settings {
  return {
    server: {
      // Invariant: inside an editor the endpoint is for this machine alone, so the address is no setting.
      host: "127.0.0.1",
      port: read("port"),
      localAuth: read("localAuth"),
      tls: tlsFiles(read),
      maxBodyMb: 64,
      maxUploadMb: 2048,
      // The extension host ends soon after it was asked to: a longer grace would never be granted.
      shutdownGraceSeconds: 2,
    },
    upstream: {
      baseUrl: read("upstreamBaseUrl"),
      caFile: read<string>("upstreamCaFile").trim() || null,
      requestTimeoutSeconds: read("requestTimeoutSeconds"),
      connectTimeoutSeconds: 10,
      http2: read("http2"),
    },
    keySelection: read("keySelection"),
    maxAttempts: read("maxAttempts"),
    maxWaitSeconds: read("maxWaitSeconds"),
    modelAliases: read("modelAliases"),
    proxy: {
      autoAssignment: read("proxy.autoAssignment"),
      loadBalancingStrategy: read("proxy.loadBalancingStrategy"),
      healthCheckIntervalSeconds: read("proxy.healthCheckIntervalSeconds"),
      maxErrorsBeforeDisable: read("proxy.maxErrorsBeforeDisable"),
      rebalanceThreshold: read("proxy.rebalanceThreshold"),
      failurePolicy: read("proxy.failurePolicy"),
    },
    rotatingProxy: { enabled: read("rotatingProxy.enabled"), maxRetries: read("rotatingProxy.maxRetries") },
    monitoring: {
      failureThreshold: read("monitoring.failureThreshold"),
      recoveryTimeSeconds: read("monitoring.recoveryTimeSeconds"),
      windowSeconds: read("monitoring.windowSeconds"),
    },
    requestLog: { size: read("requestLog.size") },
  };
}

/** Both paths or none; the core refuses one alone. */
function tlsFiles(read: ReadSetting): Settings["server"]["tls"] {
  const [certFile, keyFile] = [read<string>("tls.certFile").trim(), read<string>("tls.keyFile").trim()];
  return certFile || keyFile ? { certFile, keyFile } : null;
}

/** The core's paths that differ from the setting's name. */
const RENAMED: Readonly<Record<string, string>> = {
  "server.port": "port",
  "server.localAuth": "localAuth",
  "server.tls": "tls.certFile",
  "server.tls.certFile": "tls.certFile",
  "server.tls.keyFile": "tls.keyFile",
  "upstream.baseUrl": "upstreamBaseUrl",
  "upstream.caFile": "upstreamCaFile",
  "upstream.requestTimeoutSeconds": "requestTimeoutSeconds",
  "upstream.http2": "http2",
};

/** The full name of the setting behind the core's path, for the user to search. */
export function settingFor(path: string): string {
  return `${SECTION}.${RENAMED[path] ?? path}`;
}

/** Lines of the core that name a wrong setting by the core's path, in the editor's name of it. */
export function inSettingsWords(message: string): string {
  const path =
    /^((?:server|upstream|proxy|rotatingProxy|monitoring|requestLog)(?:\.\w+)+|maxAttempts|maxWaitSeconds|modelAliases): /gm;
  return message.replace(path, (_, core: string) => `${l10n.t("The setting {0}:", settingFor(core))} `);
}
