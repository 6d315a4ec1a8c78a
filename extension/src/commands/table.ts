// Every command of this extension, one domain after the other. The manifest lists the same ids; a test compares.

import { backupCommands } from "./backups";
import type { Command } from "./command";
import { connectCommands } from "./connect";
import { doctorCommands } from "./doctor";
import { importCommands } from "./importKeys";
import { keyCommands } from "./keys";
import { proxyCommands } from "./proxies";
import { rotatingCommands } from "./rotating";
import { serverCommands } from "./server";
import { windowCommands } from "./window";

export const PREFIX = "geminiAggregator.";

export const commands: readonly Command[] = [
  ...keyCommands,
  ...importCommands,
  ...proxyCommands,
  ...rotatingCommands,
  ...backupCommands,
  ...serverCommands,
  ...connectCommands,
  ...doctorCommands,
  ...windowCommands,
];
