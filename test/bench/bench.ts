import { parseArgs } from "node:util";
import { describeMachine } from "./machine.ts";
import { batch } from "./operations/batch.ts";
import { manyClients, oneEvent } from "./operations/event.ts";
import { assignKnown, assignNew, track } from "./operations/experiment.ts";
import { lambdaImport } from "./operations/lambda-import.ts";
import { postgres } from "./operations/postgres.ts";
import { results } from "./operations/results.ts";
import { startUp } from "./operations/start-up.ts";
import { upkeep } from "./operations/upkeep.ts";
import { inFolder } from "./processes.ts";
import { reportMarkdown, reportOperation, reportTargets } from "./report.ts";
import type { Measured } from "./samples.ts";

const OPERATIONS = [
  oneEvent,
  manyClients,
  batch,
  assignNew,
  assignKnown,
  track,
  results,
  postgres,
  upkeep,
  startUp,
  lambdaImport,
];
const FULL = { rounds: 5, seconds: 3 };
const QUICK = { rounds: 3, seconds: 2 };

const HELP = `npm run bench -- [--quick] [--markdown] [operation …]

  ${OPERATIONS.map(({ name }) => name).join(", ")} (default: all)

npm run bench -- queries | crash | dashboard | erase | false-alarms | hostile | idle-connections | upgrade`;

const say = (text: string): void => void process.stdout.write(`${text}\n\n`);

function choose(names: readonly string[]) {
  const unknown = names.filter((name) => !OPERATIONS.some((operation) => operation.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `Unknown operation ${unknown.join(", ")}. Choose from ${OPERATIONS.map(({ name }) => name).join(", ")}`,
    );
  }
  return names.length === 0 ? OPERATIONS : OPERATIONS.filter(({ name }) => names.includes(name));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  say(HELP);
  process.exit(0);
}
const rounds = values.quick ? QUICK : FULL;
const chosen = choose(positionals);

const machine = describeMachine(rounds);
if (values.quick) say("Quick run: fewer and shorter rounds than in the README.");
say(machine.join("\n"));
const all = new Map<string, Measured>();
for (const operation of chosen) {
  const measured = await inFolder((folder) => operation.run(rounds, folder));
  all.set(operation.name, measured);
  say(reportOperation(operation, measured));
}
const targets = reportTargets(all);
if (targets !== undefined) say(targets);
if (values.markdown) say(reportMarkdown(chosen, all, machine));
process.exit(0);
