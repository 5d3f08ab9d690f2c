import { fileURLToPath } from "node:url";
import { awaitOutput, ROOT, spawnNode } from "../processes.ts";
import { type Contestant, interleave, type Sample } from "../samples.ts";
import type { Operation } from "./operation.ts";

export const EMPTY_HANDLER = "empty handler";

const contender = (name: string): string => fileURLToPath(new URL(`contenders/${name}.mjs`, import.meta.url));

/** Imports a module in a new process. */
async function importOnce(module: string, env: Record<string, string> = {}): Promise<Sample> {
  const child = spawnNode({ args: [contender("import-module"), module], env });
  const [, milliseconds, cpu] = await awaitOutput(child, /imported in ([\d.]+) ms, (\d+) µs/);
  const p50 = Number(milliseconds);
  return { rate: 1000 / p50, cpu: Number(cpu), p50, p99: Number.NaN };
}

/** Imports the bundle of the Lambda functions with an empty database for each sample. */
export const lambdaImport: Operation = {
  name: "import",
  title: "import of the Lambda functions",
  unit: "imports/s",
  baselines: [{ name: EMPTY_HANDLER, baselineOf: () => EMPTY_HANDLER }],

  async run({ rounds }, folder) {
    let imports = 0;
    const contestants: Contestant[] = [
      { name: EMPTY_HANDLER, measure: () => importOnce(contender("empty-handler")) },
      {
        name: "ours",
        measure: () =>
          importOnce(`${ROOT}dist/lambda.mjs`, { ANALYTICS_DATABASE: `${folder}/import-${imports++}.db` }),
      },
    ];
    return interleave(contestants, { rounds: 4 * rounds + 1, seconds: 0 });
  },
};
