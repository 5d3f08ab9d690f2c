import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Cell, MeasuredExperiment } from "../../domain/experiments/cells.ts";
import { ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import { changeExperiment, type ExperimentChange } from "../../domain/experiments/lifecycle.ts";
import type { Storage } from "../../domain/storage.ts";
import { DAY } from "../../domain/time.ts";

// Engines may keep the cells that they have read. This contract holds them to what is stored, whichever process stored it.

const AT = Date.parse("2026-11-22T10:00:00.000Z");

type Act = (storage: Storage, test_id: number, variants: readonly number[]) => Promise<unknown>;

const enrol =
  (user_id: string, variant: number): Act =>
  (storage, test_id, variants) =>
    storage.assign(test_id, [{ user_id, variant_id: variants[variant] ?? 0, assigned_at: AT }]);

const track =
  (changes: object): Act =>
  (storage, test_id) =>
    storage.appendMetrics(test_id, [
      {
        user_id: "ann",
        metric_name: "revenue",
        value: 7,
        created_at: AT,
        occurred_at: AT,
        message_key: null,
        ...changes,
      },
    ]);

const click: Act = (storage) =>
  storage.appendEvents([
    {
      event_type: "click",
      user_id: "ann",
      session_id: null,
      properties: null,
      created_at: AT,
      occurred_at: AT,
      message_key: null,
    },
  ]);

const change =
  (wanted: ExperimentChange): Act =>
  (storage, test_id) =>
    storage.updateExperiment(test_id, (stored) => ({
      experiment: changeExperiment(stored, wanted, AT + DAY),
      forced: [],
      at: AT + DAY,
    }));

/** Each changes something that results show. */
const ACTS: readonly (readonly [what: string, act: Act])[] = [
  ["a user is enrolled", enrol("ann", 0)],
  ["a value is tracked", track({})],
  ["a value is tracked that does not count", track({ occurred_at: AT - DAY })],
  ["an undeclared metric is tracked", track({ metric_name: "other" })],
  ["an event of a metric is tracked", click],
  ["another user is enrolled", enrol("bob", 1)],
  ["weights change", change({ weights: { red: 3 } })],
  ["the description changes", change({ description: "another one" })],
  [
    "a metric of stored events is added",
    change({ metrics: [{ metric_name: "seen", event_type: "click", kind: "count", direction: "increase" }] }),
  ],
  [
    "two ids turn out to be one person",
    (storage) => storage.linkUsers({ anonymous_id: "bob", user_id: "ann", linked_at: AT + DAY }),
  ],
  ["a third user is enrolled", enrol("cyd", 0)],
  ["a value of the third user is tracked", track({ user_id: "cyd" })],
  [
    "a user is erased",
    (storage) => storage.eraseUser({ user_id: "cyd", receipt: "receipt", requested_at: AT + DAY }),
  ],
  ["the experiment is stopped", change({ status: "stopped" })],
];

const usersOf = (cells: readonly Cell[]): number => cells.reduce((sum, { users }) => sum + users, 0);
const countOf = (cells: readonly Cell[]): number =>
  cells.flatMap(({ metrics }) => metrics).reduce((sum, { count }) => sum + count, 0);

/** `openTwo` returns two storages on one new database, as two processes have them. */
export function keptCellsContract(name: string, openTwo: () => Promise<readonly [Storage, Storage]>): void {
  async function opened() {
    const [first, second] = await openTwo();
    onTestFinished(async () => {
      await first.close();
      await second.close();
    });
    const input = ExperimentInput.parse({
      test_name: "colours",
      variants: [{ variant_name: "red" }, { variant_name: "blue" }],
      metrics: [{ metric_name: "revenue" }, { metric_name: "clicks", event_type: "click" }],
    });
    const experiment = await first.createExperiment(newExperiment(input, "salt", AT));
    if (experiment === undefined) throw new Error("The name is taken.");
    return { first, second, test_id: experiment.id, variants: experiment.variants.map(({ id }) => id) };
  }

  async function tallied(storage: Storage, test_id: number): Promise<MeasuredExperiment> {
    const read = () => storage.experimentCells(test_id);
    return vi.waitUntil(async () => {
      const found = await read();
      return found?.pending_rows === 0 && found;
    });
  }

  describe(`cells that ${name} has read before`, () => {
    test("are those that are stored, after every change by this process or another", async () => {
      const { first, second, test_id, variants } = await opened();
      for (const [index, [what, act]] of ACTS.entries()) {
        const before = await tallied(first, test_id);
        expect(await tallied(second, test_id), `before ${what}`).toEqual(before);
        const [actor, other] = index % 2 === 0 ? [first, second] : [second, first];
        await act(actor, test_id, variants);
        const after = await tallied(actor, test_id);
        expect(after, what).not.toEqual(before);
        expect(await tallied(other, test_id), `${what}, by another process`).toEqual(after);
        const days = await first.dayCells(test_id);
        expect(await second.dayCells(test_id), what).toEqual(days);
        expect(usersOf(days), what).toBe(usersOf(after.cells));
        expect(countOf(days), what).toBe(countOf(after.cells));
      }
      await second.deleteExperiment(test_id);
      expect(await first.experimentCells(test_id)).toBeUndefined();
      expect(await second.experimentCells(test_id)).toBeUndefined();
    });

    test("are the same object while only others change", async () => {
      const { first, second, test_id, variants } = await opened();
      const input = ExperimentInput.parse({
        test_name: "sizes",
        variants: [{ variant_name: "small" }, { variant_name: "large" }],
      });
      const sizes = await first.createExperiment(newExperiment(input, "salt", AT));
      await enrol("ann", 0)(first, test_id, variants);
      const kept = await first.experimentCells(test_id);
      const days = await first.dayCells(test_id);
      expect(await first.experimentCells(test_id)).toBe(kept);
      await first.assign(sizes?.id ?? 0, [
        { user_id: "ann", variant_id: sizes?.variants[0]?.id ?? 0, assigned_at: AT },
      ]);
      await first.appendMetrics(sizes?.id ?? 0, [
        { user_id: "ann", metric_name: "size", value: 1, created_at: AT, occurred_at: AT, message_key: null },
      ]);
      expect(await first.experimentCells(test_id)).toBe(kept);
      expect(await first.dayCells(test_id)).toBe(days);
      await track({})(second, test_id, variants);
      const read = await first.experimentCells(test_id);
      expect(read).not.toBe(kept);
      expect(read?.raw).toMatchObject([{ metric_name: "revenue", count: 1, sum: 7 }]);
    });
  });
}
