import { crash, describeCrashes, isUnharmed } from "../end-to-end/crash.ts";
import { inFolder, ROOT } from "./processes.ts";

// Kills the server at random moments under load, fifty times instead of five as in the tests, and looks for lost and
// duplicate messages.
const PLAN = { kills: 50, seed: 20_000, serve: `${ROOT}dist/serve.mjs` };

await inFolder(async (folder) => {
  const report = await crash({ ...PLAN, folder });
  process.stdout.write(`${describeCrashes(report)}\n`);
  process.exitCode = isUnharmed(report) ? 0 : 1;
});
process.exit();
