// `npm run test:fast`: format, lints, unit tests and types; under two minutes
// when warm. The same as `npm test -- --fast`, under the name the manifest
// promises. It must not know what the steps are.

import { runSteps } from "./lib/test-run.mjs";
import { fastSteps } from "./lib/test-steps.mjs";

process.exit(await runSteps(fastSteps()));
