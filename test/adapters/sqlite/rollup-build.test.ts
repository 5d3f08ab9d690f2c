import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EMPTY_STATE, FORMAT, noRows } from "../../../adapters/rollups/store.ts";
import { type BuildParts, createRollupBuild } from "../../../adapters/sqlite/reports/rollup-build.ts";
import type { BuildPlan } from "../../../adapters/sqlite/reports/rollup-writer.ts";
import type { RebuildProgress } from "../../../domain/storage.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

interface Backlog {
  /** Stored events that are not in the rollups. */
  readonly events?: number;
  readonly buildAt?: number;
  readonly format?: number;
  readonly onProgress?: BuildParts["onProgress"];
}

/** A backlog whose events are built ten per step, and a second each step. */
function backlogOf({
  events = 100,
  buildAt = Number.POSITIVE_INFINITY,
  format = FORMAT,
  onProgress,
}: Backlog) {
  let timeless = 7_000;
  let state = { ...EMPTY_STATE, format, through: 0 };
  const planOf = (through: number): BuildPlan => {
    return { before: state, after: state, rows: noRows(), taken: 10, through, times: [], bytes: [] };
  };
  const write = async <T>(_rows: number, act: () => T): Promise<T> => {
    vi.setSystemTime(Date.now() + 1_000);
    return act();
  };
  const build = createRollupBuild({
    writer: { write, writeUnsynced: write },
    rollups: {
      state: () => state,
      carryOut: ({ through }) => {
        state = { ...state, through };
      },
      hasTimeless: () => timeless > 0,
      setTimes: (most) => {
        timeless -= Math.min(most, timeless);
      },
      invalidate: () => {},
      clear: () => {
        state = { ...EMPTY_STATE, format: FORMAT, through: 0 };
        return false;
      },
    },
    newestId: () => events,
    plan: async () => (state.through < events ? planOf(state.through + 10) : undefined),
    buildAt,
    onProgress,
    onRetry: () => {},
  });
  return { build, built: () => state.through, format: () => state.format, timeless: () => timeless };
}

describe("before a question is answered", () => {
  test("all stored events are added to the rollups", async () => {
    const { build, built } = backlogOf({});
    expect(await build.catchUp(NOW + 20_000)).toBe(true);
    expect(built()).toBe(100);
  });

  test("adding them takes no longer than the question allows, and the next question continues", async () => {
    const { build, built } = backlogOf({});
    const first = build.catchUp(NOW + 4_000).then((done) => [done, built()]);
    expect(await first).toEqual([false, 40]);
    expect(await build.catchUp(NOW + 20_000)).toBe(true);
  });

  test("a question that gave up leaves the rest to the background", async () => {
    const { build, built } = backlogOf({ buildAt: 30 });
    expect(await build.catchUp(NOW + 4_000)).toBe(false);
    await vi.waitFor(() => expect(built()).toBe(80));
  });

  test("rollups of another version are emptied and built again", async () => {
    const { build, built, format } = backlogOf({ format: FORMAT - 1 });
    expect(await build.catchUp(NOW + 20_000)).toBe(true);
    expect([built(), format()]).toEqual([100, FORMAT]);
  });

  test("nothing waits for a rebuild of many events, which runs in the background and reports its progress", async () => {
    const said: RebuildProgress[] = [];
    const onProgress = (progress: RebuildProgress) => void said.push(progress);
    const { build, built } = backlogOf({ events: 50_040, buildAt: 1_000, onProgress });
    expect(await build.catchUp(NOW + 20_000)).toBe(false);
    expect(build.progress()).toEqual({ done: built(), total: 50_040 });
    await vi.waitFor(() => expect(build.progress()).toBeUndefined());
    expect(said.slice(0, 3)).toEqual([10, 20, 30].map((done) => ({ done, total: 50_040 })));
    await build.close();
  });

  test("while a rebuild runs, events of other programs get their time, by which answers from events find them", async () => {
    const { build, timeless } = backlogOf({ events: 60_000, buildAt: 1_000 });
    expect(await build.catchUp(NOW + 20_000)).toBe(false);
    expect(timeless()).toBe(0);
    await build.close();
  });
});

test("a burst is added to its end, though no event follows it", async () => {
  const { build, built } = backlogOf({ buildAt: 30 });
  build.grow(100);
  await vi.waitFor(() => expect(built()).toBe(80));
});

test("no build comes between the parts of an act that runs alone", async () => {
  const { build, built } = backlogOf({});
  let finish = (): void => {};
  const act = build.alone(async () => {
    await new Promise<void>((fulfil) => {
      finish = fulfil;
    });
    return built();
  });
  const caughtUp = build.catchUp(Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  finish();
  expect(await act).toBe(0);
  expect(await caughtUp).toBe(true);
  expect(built()).toBe(100);
});

test("a build begins after an act that failed", async () => {
  const { build } = backlogOf({});
  await expect(build.alone(() => Promise.reject(new Error("no plan")))).rejects.toThrow("no plan");
  expect(await build.catchUp(Number.POSITIVE_INFINITY)).toBe(true);
});
