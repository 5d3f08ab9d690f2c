import { crash, describeCrashes, isUnharmed } from "../end-to-end/crash.ts";
import { inFolder, ROOT } from "./processes.ts";

// What the tests do five times: kill the server under load at random moments, and look for what is lost or twice there.
const PLAN = { kills: 50, seed: 20_000, serve: `${ROOT}dist/serve.mjs` };

await inFolder(async (folder) => {
  const report = await crash({ ...PLAN, folder });
  process.stdout.write(`${describeCrashes(report)}\n`);
  process.exitCode = isUnharmed(report) ? 0 : 1;
});
process.exit();
