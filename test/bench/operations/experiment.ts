import { assignment, KNOWN_USERS, knownUser, metric, metricWithId, newUser } from "../bodies.ts";
import { AUTHORIZED, prepare, startAnalytics } from "../contenders/analytics-server.ts";
import { loadServer } from "../load.ts";
import { type RunningChild, startContender } from "../processes.ts";
import { type Contestant, interleave, type Measured, type Rounds } from "../samples.ts";
import type { Operation } from "./operation.ts";

const BATCH_SIZE = 2_000;

const EXPERIMENT = {
  test_name: "button_colour",
  variants: [{ variant_name: "red" }, { variant_name: "blue" }],
};

/** Creates an experiment with assigned users, and returns its path. */
async function prepareExperiment(url: string): Promise<string> {
  const { test_id } = await prepare<{ test_id: number }>(url, "/apiv1/ab-tests", EXPERIMENT);
  const path = `/apiv1/ab-tests/${test_id}`;
  for (let from = 0; from < KNOWN_USERS; from += BATCH_SIZE) {
    const users = Array.from({ length: BATCH_SIZE }, (_, index) => ({
      user_id: knownUser(from + index),
      variant: (from + index) % 2 === 0 ? "red" : "blue",
    }));
    await prepare(url, `${path}/assignments`, users);
  }
  return path;
}

/** Compares one kind of experiment request on our server with hello, which gets the same bodies. */
function experimentRequest(
  name: string,
  title: string,
  tail: string,
  bodies: Record<string, () => string>,
): Operation {
  async function run(rounds: Rounds, folder: string): Promise<Measured> {
    const hello = await startContender("hello");
    const ours = await startAnalytics(`${folder}/${name}.db`);
    const path = (await prepareExperiment(ours.url)) + tail;
    const contestant = (name: string, server: RunningChild, body: () => string): Contestant => ({
      name,
      measure: (seconds) => loadServer(server, { path, headers: AUTHORIZED, body }, seconds),
    });
    const [first] = Object.values(bodies);
    if (first === undefined) throw new Error("An operation needs a body.");
    const measured = await interleave(
      [
        contestant("hello", hello, first),
        ...Object.entries(bodies).map(([variant, body]) => contestant(variant, ours, body)),
      ],
      rounds,
    );
    await Promise.all([hello, ours].map((server) => server.stop()));
    return measured;
  }
  return { name, title, unit: "requests/s", run };
}

export const assignNew = experimentRequest("assign-new", "assign, new user", "/assign", {
  ours: () => assignment(newUser()),
});
export const assignKnown = experimentRequest("assign-known", "assign, known user", "/assign", {
  ours: () => assignment(knownUser()),
});
export const track = experimentRequest("track", "track", "/track", {
  ours: metric,
  "ours, with message ids": metricWithId,
});
