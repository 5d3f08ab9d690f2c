import { BATCH, regularBatch, regularEvent } from "../bodies.ts";
import { AUTHORIZED, startAnalytics, startUncounted } from "../contenders/analytics-server.ts";
import { loadServer } from "../load.ts";
import type { RunningChild } from "../processes.ts";
import { type Contestant, interleave } from "../samples.ts";
import type { Operation } from "./operation.ts";

export const BARE_BATCHES = "batches, nothing kept";
export const KEPT_BATCHES = "ours, batches";
export const BARE_EVENTS = "one event, nothing kept";
export const KEPT_EVENTS = "ours, one event";

const CLIENTS = 4;

const batches = (name: string, server: RunningChild): Contestant => ({
  name,
  measure: (seconds) =>
    loadServer(
      server,
      {
        path: "/apiv1/events/batch",
        headers: AUTHORIZED,
        body: regularBatch,
        weight: BATCH,
        connections: CLIENTS,
      },
      seconds,
    ),
});

const events = (name: string, server: RunningChild): Contestant => ({
  name,
  measure: (seconds) =>
    loadServer(server, { path: "/apiv1/events", headers: AUTHORIZED, body: regularEvent }, seconds),
});

/** What it costs those who store events that questions about them are answered in milliseconds. */
export const upkeep: Operation = {
  name: "upkeep",
  title: "storing events",
  unit: "events/s",
  yardsticks: [
    {
      name: "nothing kept",
      beside: (contender) => (contender.includes("batches") ? BARE_BATCHES : BARE_EVENTS),
    },
  ],

  async run(rounds, folder) {
    const servers = await Promise.all([
      startUncounted(`${folder}/bare-batches.db`),
      startAnalytics(`${folder}/kept-batches.db`),
      startUncounted(`${folder}/bare-events.db`),
      startAnalytics(`${folder}/kept-events.db`),
    ]);
    const [bareBatches, keptBatches, bareEvents, keptEvents] = servers;
    const measured = await interleave(
      [
        batches(BARE_BATCHES, bareBatches),
        batches(KEPT_BATCHES, keptBatches),
        events(BARE_EVENTS, bareEvents),
        events(KEPT_EVENTS, keptEvents),
      ],
      rounds,
    );
    await Promise.all(servers.map((server) => server.stop()));
    return measured;
  },
};
