import { BATCH, returningUserBatch, returningUserEvent } from "../bodies.ts";
import { AUTHORIZED, startAnalytics, startWithoutRollups } from "../contenders/analytics-server.ts";
import { loadServer } from "../load.ts";
import type { RunningChild } from "../processes.ts";
import { type Contestant, interleave } from "../samples.ts";
import type { Operation } from "./operation.ts";

export const NO_ROLLUPS_BATCHES = "batches, no rollups";
export const ROLLUPS_BATCHES = "ours, batches";
export const NO_ROLLUPS_EVENTS = "one event, no rollups";
export const ROLLUPS_EVENTS = "ours, one event";

const CLIENTS = 4;

const batches = (name: string, server: RunningChild): Contestant => ({
  name,
  measure: (seconds) =>
    loadServer(
      server,
      {
        path: "/apiv1/events/batch",
        headers: AUTHORIZED,
        body: returningUserBatch,
        weight: BATCH,
        connections: CLIENTS,
      },
      seconds,
    ),
});

const events = (name: string, server: RunningChild): Contestant => ({
  name,
  measure: (seconds) =>
    loadServer(server, { path: "/apiv1/events", headers: AUTHORIZED, body: returningUserEvent }, seconds),
});

/** Measures how much rollups slow down the storing of events. */
export const upkeep: Operation = {
  name: "upkeep",
  title: "storing events",
  unit: "events/s",
  baselines: [
    {
      name: "no rollups",
      baselineOf: (contender) => (contender.includes("batches") ? NO_ROLLUPS_BATCHES : NO_ROLLUPS_EVENTS),
    },
  ],

  async run(rounds, folder) {
    const servers = await Promise.all([
      startWithoutRollups(`${folder}/plain-batches.db`),
      startAnalytics(`${folder}/rollup-batches.db`),
      startWithoutRollups(`${folder}/plain-events.db`),
      startAnalytics(`${folder}/rollup-events.db`),
    ]);
    const [plainBatches, rollupBatches, plainEvents, rollupEvents] = servers;
    const measured = await interleave(
      [
        batches(NO_ROLLUPS_BATCHES, plainBatches),
        batches(ROLLUPS_BATCHES, rollupBatches),
        events(NO_ROLLUPS_EVENTS, plainEvents),
        events(ROLLUPS_EVENTS, rollupEvents),
      ],
      rounds,
    );
    await Promise.all(servers.map((server) => server.stop()));
    return measured;
  },
};
