import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Ask } from "../../../adapters/sqlite/answers.ts";
import { type Counting, createCounting, type Plan } from "../../../adapters/sqlite/counting.ts";
import type { FoldWriter } from "../../../adapters/sqlite/fold-writer.ts";
import { type Answer, createQuestions } from "../../../adapters/sqlite/questions.ts";
import type { Writer } from "../../../adapters/sqlite/writer.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** A counting with ten events before it, each of which takes a second. */
function tenSecondsBehind({ countAt = Number.POSITIVE_INFINITY } = {}) {
  let counted = 0;
  const plan = async () => (counted < 10 ? { rows: {} } : undefined);
  const folder = { through: () => counted, newest: () => 10, carryOut: () => {} };
  const writer = {
    write: async () => {
      counted += 1;
      vi.setSystemTime(Date.now() + 1_000);
    },
  };
  const counting = createCounting(
    writer as unknown as Writer,
    folder as unknown as FoldWriter,
    plan as unknown as Plan,
    countAt,
  );
  return { counting, counted: () => counted };
}

describe("a question that comes while events are still to be counted", () => {
  test("waits until all are", async () => {
    const { counting, counted } = tenSecondsBehind();
    expect(await counting.catchUp(NOW + 10_000)).toBe(true);
    expect(counted()).toBe(10);
  });

  test("waits no longer than it can, and the next one waits for less", async () => {
    const { counting, counted } = tenSecondsBehind();
    const waiting = counting.catchUp(NOW + 4_000).then((done) => [done, counted()]);
    expect(await waiting).toEqual([false, 4]);
    expect(await counting.catchUp(NOW + 15_000)).toBe(true);
  });

  test("that gave up waiting leaves the counting going on without anybody who asks", async () => {
    const { counting, counted } = tenSecondsBehind({ countAt: 3 });
    expect(await counting.catchUp(NOW + 4_000)).toBe(false);
    await vi.waitFor(() => expect(counted()).toBe(8));
  });

  test.each([
    ["is answered by what is counted", true],
    ["is answered by the events themselves once half of its time is over", false],
  ])("%s, and has the rest of its time for that", async (_name, caughtUp) => {
    const given: unknown[] = [];
    const catchUp: Counting["catchUp"] = async (until) => given.push({ until }) > 0 && caughtUp;
    const answer = async (ask: Ask, _asking: object, deadline: number) => {
      given.push({ stale: ask.stale, deadline });
      return { source: "raw", value: [] };
    };
    const questions = createQuestions({ grow: () => {}, catchUp }, answer as unknown as Answer, 20_000);
    await questions.eventTypes();
    expect(given).toEqual([{ until: NOW + 10_000 }, { stale: !caughtUp, deadline: NOW + 20_000 }]);
  });
});

test("a burst is counted to its end, though nothing comes after it", async () => {
  const { counting, counted } = tenSecondsBehind({ countAt: 3 });
  counting.grow(10);
  await vi.waitFor(() => expect(counted()).toBe(8));
});
