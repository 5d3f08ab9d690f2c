import { assignment, KNOWN_USERS, knownUser, metric, metricWithId, newUser } from "../bodies.ts";
import { AUTHORIZED, prepare, startAnalytics } from "../contenders/analytics-server.ts";
import { loadServer } from "../load.ts";
import { type RunningChild, startContender } from "../processes.ts";
import { type Contestant, interleave, type Measured, type Rounds } from "../samples.ts";
import type { Operation } from "./operation.ts";

const AT_ONCE = 2_000;

const TEST = {
  test_name: "button_colour",
  variants: [{ variant_name: "red" }, { variant_name: "blue" }],
};

/** A test with users in it; answers the path of the test. */
async function prepareTest(url: string): Promise<string> {
  const { test_id } = await prepare<{ test_id: number }>(url, "/apiv1/ab-tests", TEST);
  const path = `/apiv1/ab-tests/${test_id}`;
  for (let from = 0; from < KNOWN_USERS; from += AT_ONCE) {
    const users = Array.from({ length: AT_ONCE }, (_, index) => ({
      user_id: knownUser(from + index),
      variant: (from + index) % 2 === 0 ? "red" : "blue",
    }));
    await prepare(url, `${path}/assignments`, users);
  }
  return path;
}

/** One request of an experiment to our server, against hello with the same bodies. */
function requestOfTest(
  name: string,
  title: string,
  tail: string,
  bodies: Record<string, () => string>,
): Operation {
  async function run(rounds: Rounds, folder: string): Promise<Measured> {
    const hello = await startContender("hello");
    const ours = await startAnalytics(`${folder}/${name}.db`);
    const path = (await prepareTest(ours.url)) + tail;
    const contestant = (name: string, server: RunningChild, body: () => string): Contestant => ({
      name,
      measure: (seconds) => loadServer(server, { path, headers: AUTHORIZED, body }, seconds),
    });
    const [first] = Object.values(bodies);
    if (first === undefined) throw new Error("an operation needs a body");
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

export const assignNew = requestOfTest("assign-new", "assign, new user", "/assign", {
  ours: () => assignment(newUser()),
});
export const assignKnown = requestOfTest("assign-known", "assign, known user", "/assign", {
  ours: () => assignment(knownUser()),
});
export const track = requestOfTest("track", "track", "/track", {
  ours: metric,
  "ours, with message ids": metricWithId,
});
