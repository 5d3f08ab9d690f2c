import { expect, onTestFinished, test } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";

const EXPERIMENTS = 600;

/** A storage with hundreds of running experiments, each with two variants. */
async function openMany() {
  const storage = openSqlite(":memory:");
  onTestFinished(() => storage.close());
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  const experiments = await Promise.all(
    Array.from({ length: EXPERIMENTS }, (_, n) =>
      storage.createExperiment(
        newExperiment(ExperimentInput.parse({ test_name: `t${n}`, variants }), "salt", 0),
      ),
    ),
  );
  return { storage, experiments: experiments.flatMap((one) => one ?? []) };
}

/** How many turns of the event loop pass until the act is done. */
async function turnsOf(act: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await act();
  done = true;
  return turns;
}

test("a list of hundreds of experiments is read over several turns of the event loop", async () => {
  const { storage } = await openMany();
  expect(await turnsOf(() => storage.listExperiments({ limit: EXPERIMENTS }))).toBeGreaterThan(5);
});

test("two long lists that are asked for at once do not share their turns", async () => {
  const { storage } = await openMany();
  const list = () => storage.listExperiments({ limit: EXPERIMENTS });
  const one = await turnsOf(list);
  expect(await turnsOf(() => Promise.all([list(), list()]))).toBeGreaterThan(1.5 * one);
});

test("an event is stored while users are assigned in hundreds of experiments", async () => {
  const { storage, experiments } = await openMany();
  const everywhere = (user_id: string) =>
    storage.assignUser(
      experiments.map(({ id, variants }) => ({
        test_id: id,
        user_id,
        variant_id: variants[0]?.id ?? 0,
        assigned_at: 0,
      })),
    );
  const order: string[] = [];
  const long = ["ann", "bob", "cyd"].map((user) => everywhere(user).then(() => order.push("users")));
  const event = { event_type: "click", user_id: null, session_id: null, properties: null, message_key: null };
  const short = storage
    .appendEvents([{ ...event, created_at: 0, occurred_at: 0 }])
    .then(() => order.push("event"));
  await Promise.all([...long, short]);
  expect(order).toEqual(["event", "users", "users", "users"]);
});
