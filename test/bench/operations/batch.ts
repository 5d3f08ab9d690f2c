import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { BATCH, batches, batchWithIds, event } from "../bodies.ts";
import { AUTHORIZED, startAnalytics } from "../contenders/analytics-server.ts";
import { startPostgres } from "../contenders/postgres.ts";
import { loadServer } from "../load.ts";
import { type RunningChild, startContender, stopChild } from "../processes.ts";
import { type Contestant, interleave, rateAlone } from "../samples.ts";
import type { Operation } from "./operation.ts";

// The same number as for PostgreSQL. Batches come from a few backends, not from many browsers.
const CLIENTS = 4;
const PATH = "/apiv1/events/batch";

async function startInsertLoop(name: string, ...args: string[]) {
  const child = fork(fileURLToPath(new URL("contenders/insert-loop.mjs", import.meta.url)), args);
  await once(child, "message");
  const contestant: Contestant = {
    name,
    measure: async (seconds) => {
      child.send(seconds);
      const [rate] = await once(child, "message");
      return rateAlone(rate);
    },
  };
  return { contestant, stop: () => stopChild(child) };
}

export const batch: Operation = {
  name: "batch",
  title: `batch of ${BATCH}`,
  unit: "events/s",

  async run(rounds, folder) {
    const hello = await startContender("hello");
    const loop = await startInsertLoop("insert loop", `${folder}/loop.db`);
    const loopIds = await startInsertLoop("insert loop, with message ids", `${folder}/loop-ids.db`, "ids");
    const postgres = await startPostgres(folder);
    const ours = await startAnalytics(`${folder}/batch.db`);
    const ids = await startAnalytics(`${folder}/batch-ids.db`);
    const contestant = (name: string, server: RunningChild, body: () => string): Contestant => ({
      name,
      measure: (seconds) =>
        loadServer(
          server,
          { path: PATH, headers: AUTHORIZED, body, weight: BATCH, connections: CLIENTS },
          seconds,
        ),
    });
    const measured = await interleave(
      [
        contestant("hello", hello, batches(event)),
        loop.contestant,
        loopIds.contestant,
        ...postgres.contestants,
        contestant("ours", ours, batches(event)),
        contestant("ours, with message ids", ids, batchWithIds),
      ],
      rounds,
    );
    await Promise.all([hello, loop, loopIds, postgres, ours, ids].map((server) => server.stop()));
    return measured;
  },
};
