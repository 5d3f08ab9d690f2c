import { fileURLToPath } from "node:url";
import { AUTHORIZED, startAnalytics } from "../contenders/analytics-server.ts";
import { loadServer } from "../load.ts";
import { awaitOutput, spawnNode, startContender } from "../processes.ts";
import { type Contestant, interleave } from "../samples.ts";
import type { Operation } from "./operation.ts";

const FEW = 1_000;
const MANY = 1_000_000;
// A busy machine writes some thousand values a second.
const FILLING_MS = 600_000;

async function startFilled(folder: string, values: number) {
  const database = `${folder}/results-${values}.db`;
  const filler = fileURLToPath(new URL("contenders/fill-results.mjs", import.meta.url));
  const [path] = await awaitOutput(
    spawnNode({ args: [filler, database, `${values}`] }),
    /\/apiv1\/\S+/,
    FILLING_MS,
  );
  return { path, server: await startAnalytics(database) };
}

export const MANY_VALUES = "ours, 1,000,000 values";
export const FEW_VALUES = "ours, 1,000 values";
export const MANY_DAYS = "ours, timeline, 1,000,000 values";
export const FEW_DAYS = "ours, timeline, 1,000 values";

export const results: Operation = {
  name: "results",
  title: "results of an experiment",
  unit: "requests/s",

  async run(rounds, folder) {
    const hello = await startContender("hello");
    const few = await startFilled(folder, FEW);
    const many = await startFilled(folder, MANY);
    const timelineOf = ({ server, path }: typeof few) => ({
      server,
      path: path.replace(/results$/, "timeline"),
    });
    const contestant = (name: string, { server, path }: typeof few): Contestant => ({
      name,
      measure: (seconds) => loadServer(server, { method: "GET", path, headers: AUTHORIZED }, seconds),
    });
    const measured = await interleave(
      [
        contestant("hello", { server: hello, path: few.path }),
        contestant(FEW_VALUES, few),
        contestant(MANY_VALUES, many),
        contestant(FEW_DAYS, timelineOf(few)),
        contestant(MANY_DAYS, timelineOf(many)),
      ],
      rounds,
    );
    await Promise.all([hello, few.server, many.server].map((server) => server.stop()));
    return measured;
  },
};
