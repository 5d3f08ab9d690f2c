import { expect, test } from "vitest";
import { createLane, createOnce } from "../../../adapters/postgres/reports/lanes.ts";

/** An act that waits for its turn in a lane and then answers how many have begun. */
function countingAct(begin: () => void, lane = createLane(1)) {
  return lane(async () => {
    begin();
    await new Promise(setImmediate);
    return "answer";
  });
}

test("a lane runs as many acts at once as it may, in the order in which they came", async () => {
  const lane = createLane(2);
  const log: string[] = [];
  const acts = ["a", "b", "c"].map((name) =>
    lane(async () => {
      log.push(`begins ${name}`);
      await new Promise(setImmediate);
      log.push(`ends ${name}`);
    }),
  );
  await Promise.all(acts);
  expect(log).toEqual(["begins a", "begins b", "ends a", "begins c", "ends b", "ends c"]);
});

test("an act that fails leaves its place in the lane", async () => {
  const lane = createLane(1);
  const failing = lane(() => Promise.reject(new Error("failed")));
  await expect(failing).rejects.toThrow("failed");
  expect(await lane(async () => "next")).toBe("next");
});

test("equal questions that wait for their turn are answered once, and other ones by themselves", async () => {
  const once = createOnce<string>();
  const lane = createLane(1);
  const begun: string[] = [];
  const ask = (key: string) =>
    once(key, {}, (_asking, begin) =>
      countingAct(() => {
        begun.push(key);
        begin();
      }, lane),
    );
  expect(await Promise.all(["first", "same", "same", "other", "same"].map(ask))).toEqual(
    new Array(5).fill("answer"),
  );
  expect(begun).toEqual(["first", "same", "other"]);
});

test("a question that has begun answers nobody who asks later, because it may miss what was stored since", async () => {
  const once = createOnce<number>();
  let begun = 0;
  const ask = () =>
    once("same", {}, async (_asking, begin) => {
      begun += 1;
      begin();
      const turn = begun;
      await new Promise(setImmediate);
      return turn;
    });
  expect(await Promise.all([ask(), ask()])).toEqual([1, 2]);
});

test("a shared question is given up when all who asked have gone, and not before", async () => {
  const once = createOnce<string>();
  const [one, two] = [new AbortController(), new AbortController()];
  const signals: (AbortSignal | undefined)[] = [];
  const ask = (asker: AbortController) =>
    once("same", { gone: asker.signal }, ({ gone }) => {
      signals.push(gone);
      return new Promise(() => {});
    });
  const answers = [ask(one), ask(two)];
  one.abort();
  await expect(answers[0]).rejects.toMatchObject({ code: "unavailable" });
  expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
  two.abort();
  await expect(answers[1]).rejects.toMatchObject({ code: "unavailable" });
  expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
});
