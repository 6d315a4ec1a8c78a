// Unit tests of the TypeScript lie beside the code they test; everything that crosses languages is under test/ and
// runs by other means.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["extension/src/**/*.test.ts", "webview/src/**/*.test.ts"] },
});
