import { event, eventWithId } from "../bodies.ts";
import { AUTHORIZED, startAnalytics } from "../contenders/analytics-server.ts";
import { startServerlessOffline } from "../contenders/serverless-offline.ts";
import { loadServer } from "../load.ts";
import { type RunningChild, startContender } from "../processes.ts";
import { type Contestant, interleave, type Measured, type Rounds } from "../samples.ts";
import type { Operation } from "./operation.ts";

const PATH = "/apiv1/events";

/** Returns a contestant that sends single events from this number of concurrent clients. */
const sender =
  (connections: number) =>
  (name: string, server: RunningChild, body: () => string): Contestant => ({
    name,
    measure: (seconds) => loadServer(server, { path: PATH, headers: AUTHORIZED, body, connections }, seconds),
  });

export const oneEvent: Operation = {
  name: "event",
  title: "one event",
  unit: "requests/s",

  async run(rounds, folder) {
    const hello = await startContender("hello");
    const log = await startContender("append-log", `${folder}/events.log`);
    const single = await startContender("commit-per-request", `${folder}/single.db`);
    const offline = await startServerlessOffline(folder);
    const ours = await startAnalytics(`${folder}/event.db`);
    const ids = await startAnalytics(`${folder}/event-ids.db`);
    const contestant = sender(32);
    const measured = await interleave(
      [
        contestant("hello", hello, event),
        contestant("append log", log, event),
        contestant("commit per request", single, event),
        contestant("serverless-offline hello", offline, event),
        contestant("ours", ours, event),
        contestant("ours, with message ids", ids, eventWithId),
      ],
      rounds,
    );
    await Promise.all([hello, log, single, offline, ours, ids].map((server) => server.stop()));
    return measured;
  },
};

export const manyClients: Operation = {
  name: "event-128",
  title: "one event, 128 clients",
  unit: "requests/s",

  async run(rounds: Rounds, folder: string): Promise<Measured> {
    const hello = await startContender("hello");
    const log = await startContender("append-log", `${folder}/events.log`);
    const ids = await startAnalytics(`${folder}/event-ids.db`);
    const contestant = sender(128);
    const measured = await interleave(
      [
        contestant("hello", hello, event),
        contestant("append log", log, event),
        contestant("ours, with message ids", ids, eventWithId),
      ],
      rounds,
    );
    await Promise.all([hello, log, ids].map((server) => server.stop()));
    return measured;
  },
};
