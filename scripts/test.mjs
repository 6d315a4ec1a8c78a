// `npm test`: everything that proves the product, from a fresh clone, ending
// with the plain line `N passed, N failed`. Exits non-zero when anything failed.
// With --fast (or as `npm run test:fast`) only what needs neither system parts
// nor an editor. It must not know what the steps are.

import { runSteps } from "./lib/test-run.mjs";
import { allSteps, fastSteps } from "./lib/test-steps.mjs";

process.exit(await runSteps(process.argv.includes("--fast") ? fastSteps() : allSteps()));
