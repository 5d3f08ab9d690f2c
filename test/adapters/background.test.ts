import { expect, test } from "vitest";
import { createBackground } from "../../adapters/background/background.ts";
import { pauseAfter } from "../../adapters/background/expiry.ts";
import { HOUR } from "../../domain/time.ts";

const noRetry = (work: string, error: unknown): void => {
  throw new Error(`${work} was to be tried again`, { cause: error });
};

test("work goes on until nothing is left, and a call meanwhile joins it", async () => {
  let left = 3;
  const { work } = createBackground("tallies", noRetry, async () => {
    left -= 1;
    return left > 0;
  });
  await Promise.all([work(), work()]);
  expect(left).toBe(0);
});

test("what is asked for during the last step is done too", async () => {
  const steps: string[] = [];
  let asked = () => {};
  const { work } = createBackground("deletions", noRetry, async () => {
    steps.push("step");
    asked();
    return false;
  });
  asked = () => {
    asked = () => {};
    void work();
  };
  await work();
  expect(steps).toEqual(["step", "step"]);
});

test("a step that fails is told of and tried again", async () => {
  const told: unknown[] = [];
  const failure = new Error("the disk is full");
  let attempts = 0;
  const { work } = createBackground(
    "erasures",
    (...what) => told.push(what),
    async () => {
      attempts += 1;
      if (attempts === 1) throw failure;
      return false;
    },
  );
  await work();
  expect(attempts).toBe(2);
  expect(told).toEqual([["erasures", failure]]);
});

test("work that is stopped ends with its step, without waiting for its pauses, and does not begin again", async () => {
  let steps = 0;
  const { work, stop } = createBackground("expiry", noRetry, async ({ pause }) => {
    steps += 1;
    await pause(3_600_000);
    return true;
  });
  const working = work();
  await stop();
  await working;
  await work();
  expect(steps).toBe(1);
});

test("a step that fails because the work was stopped is not tried again", async () => {
  const { work, stop } = createBackground("tallies", noRetry, async ({ signal, pause }) => {
    await pause(3_600_000);
    signal.throwIfAborted();
    return true;
  });
  const working = work();
  await stop();
  await expect(working).resolves.toBeUndefined();
});

test.each([
  ["ten times as long as a step", 8, 0, 80],
  ["some milliseconds at least", 0.1, 0, 3],
  ["less than half a second", 900, 0, 400],
  ["twice as long as a step in a round of more than half a day", 8, 13 * HOUR, 16],
])("expiry rests %s", (_, stepMs, roundMs, pauseMs) => {
  expect(pauseAfter(stepMs, roundMs)).toBe(pauseMs);
});
