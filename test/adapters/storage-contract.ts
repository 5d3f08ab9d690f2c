import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { NewEvent } from "../../domain/events/event.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import type { ExperimentCells } from "../../domain/experiments/cells.ts";
import {
  type Experiment,
  ExperimentInput,
  type NewExperiment,
  newExperiment,
} from "../../domain/experiments/experiment.ts";
import type { NewMetric } from "../../domain/experiments/metric.ts";
import { Failure } from "../../domain/failure.ts";
import type { SavedQuestion } from "../../domain/reports/saved-question.ts";
import type { ShareLink } from "../../domain/shares/share-link.ts";
import type { Storage, WonAssignment } from "../../domain/storage.ts";
import { DAY } from "../../domain/time.ts";
import { cases } from "../random.ts";

const AT = Date.parse("2026-11-22T10:00:00.123Z");

const eventOf = (changes: Partial<NewEvent> = {}): NewEvent => ({
  event_type: "click",
  user_id: null,
  session_id: null,
  properties: null,
  created_at: AT,
  occurred_at: AT,
  message_key: null,
  ...changes,
});

const metricOf = (changes: Partial<NewMetric> = {}): NewMetric => ({
  user_id: "ann",
  metric_name: "revenue",
  value: 1,
  created_at: AT,
  occurred_at: AT,
  message_key: null,
  ...changes,
});

const experimentOf = (changes: object = {}): NewExperiment => {
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  return newExperiment(ExperimentInput.parse({ test_name: "colours", variants, ...changes }), "salt", AT);
};

const key = (text: string) => messageKey(text);

interface Colours {
  readonly storage: Storage;
  readonly experiment: Experiment;
  readonly test_id: number;
  readonly red: number;
  readonly blue: number;
  /** Assigns the variant to each user at the default time. */
  enrol(variantId: number, ...users: string[]): Promise<readonly WonAssignment[]>;
}

async function created(storage: Storage, changes: object = {}): Promise<Experiment> {
  const experiment = await storage.createExperiment(experimentOf(changes));
  if (experiment === undefined) throw new Error("The name is taken.");
  return experiment;
}

async function coloursIn(storage: Storage, changes: object = {}): Promise<Colours> {
  const experiment = await created(storage, changes);
  const [red = 0, blue = 0] = experiment.variants.map(({ id }) => id);
  const enrol = (variant_id: number, ...users: string[]) =>
    storage.assign(
      experiment.id,
      users.map((user_id) => ({ user_id, variant_id, assigned_at: AT })),
    );
  return { storage, experiment, test_id: experiment.id, red, blue, enrol };
}

// --- What an experiment counts, put together from its cells: the contract of the cells themselves is cells-contract.ts.

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

interface CountedMetric {
  readonly metric_name: string;
  /** Every value before the stop. */
  readonly raw: { readonly count: number; readonly sum: number };
  readonly count: number;
  readonly sum: number;
  /** Users with a counted value. */
  readonly users: number;
}

interface CountedVariant {
  readonly variant_id: number;
  readonly users: number;
  readonly metrics: readonly CountedMetric[];
}

function countedVariant({ cells, raw }: ExperimentCells, variant_id: number): CountedVariant {
  const own = cells.filter((cell) => cell.variant_id === variant_id);
  const values = raw.filter((one) => one.variant_id === variant_id);
  const metrics = values.map(({ metric_name, count, sum }) => {
    const sums = own.flatMap((cell) => cell.metrics.filter((metric) => metric.metric_name === metric_name));
    return {
      metric_name,
      raw: { count, sum },
      count: sumOf(sums.map((one) => one.count)),
      sum: sumOf(sums.map((one) => one.y.high)),
      users: sumOf(sums.map((one) => one.users_with_value)),
    };
  });
  const byName = (a: CountedMetric, b: CountedMetric) => (a.metric_name < b.metric_name ? -1 : 1);
  return { variant_id, users: sumOf(own.map(({ users }) => users)), metrics: metrics.sort(byName) };
}

/** The variants that have anything, in the order of their ids. */
async function variantsOf(storage: Storage, testId: number): Promise<CountedVariant[]> {
  const cells = await storage.experimentCells(testId);
  if (cells === undefined) return [];
  const ids = new Set([...cells.cells, ...cells.raw].map(({ variant_id }) => variant_id));
  return [...ids].sort((a, b) => a - b).map((id) => countedVariant(cells, id));
}

const LARGEST = 1e6;
const USERS = ["ann", "bob", "cyd", "dan", "eve"];

const someMetric = fc.record({
  user_id: fc.constantFrom(...USERS, "nobody"),
  metric_name: fc.constantFrom("revenue", "clicks"),
  value: fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    // Converts -0 to 0: decimals have no -0, and JSON writes it as 0.
    fc
      .double({ min: -LARGEST, max: LARGEST, noNaN: true, noDefaultInfinity: true })
      .map((value) => value + 0),
  ),
  created_at: fc.constant(AT),
  occurred_at: fc.integer({ min: AT - 5, max: AT + 5 }),
  message_key: fc.option(fc.integer({ min: 0, max: 9 }).map((n) => key(String(n)))),
});

/** Contract of domain/storage.ts for every engine. `open` returns a new, empty storage. */
export function storageContract(name: string, open: () => Promise<Storage>): void {
  async function opened(): Promise<Storage> {
    const storage = await open();
    onTestFinished(() => storage.close());
    return storage;
  }

  const openColours = async (changes: object = {}) => coloursIn(await opened(), changes);

  describe(`${name} events`, () => {
    test("are answered in order, each with a unique id and its arrival time", async () => {
      const storage = await opened();
      const answers = await storage.appendEvents([eventOf(), eventOf({ created_at: AT + 1 }), eventOf()]);
      expect(answers.map(({ created_at, duplicate }) => [created_at, duplicate])).toEqual([
        [AT, false],
        [AT + 1, false],
        [AT, false],
      ]);
      expect(new Set(answers.map(({ id }) => id)).size).toBe(3);
      for (const { id } of answers) expect(Number.isSafeInteger(id)).toBe(true);
    });

    test("return no answers for an empty batch", async () => {
      expect(await (await opened()).appendEvents([])).toEqual([]);
    });

    test("are stored once per message id, and repeats return the first id and arrival time", async () => {
      const storage = await opened();
      const [first] = await storage.appendEvents([eventOf({ message_key: key("m") })]);
      await storage.appendEvents([eventOf(), eventOf({ message_key: key("n") })]);
      const again = await storage.appendEvents([eventOf({ message_key: key("m"), created_at: AT + 9_999 })]);
      expect(again).toEqual([{ ...first, duplicate: true }]);
    });

    test("are stored once if a message id is repeated within a batch", async () => {
      const storage = await opened();
      const m = eventOf({ message_key: key("m") });
      const [first, other, second, third] = await storage.appendEvents([m, eventOf(), m, m]);
      expect([first.duplicate, other.duplicate, second.duplicate, third.duplicate]).toEqual([
        false,
        false,
        true,
        true,
      ]);
      expect([second.id, third.id]).toEqual([first.id, first.id]);
      expect(other.id).not.toBe(first.id);
    });

    test("are stored once under a hundred concurrent calls, which get the same answer", async () => {
      const storage = await opened();
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          storage.appendEvents([eventOf({ message_key: key("m"), created_at: AT + n }), eventOf()]),
        ),
      );
      const ours = answers.map(([one]) => one);
      expect(ours.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(new Set(ours.map(({ id, created_at }) => `${id} ${created_at}`)).size).toBe(1);
      expect(new Set(answers.map(([, other]) => other.id)).size).toBe(100);
    });

    test("are stored every time without a message id", async () => {
      const storage = await opened();
      const answers = await Promise.all(Array.from({ length: 20 }, () => storage.appendEvents([eventOf()])));
      expect(new Set(answers.map(([one]) => one.id)).size).toBe(20);
    });

    test("are stored all or none per batch: an invalid event rejects its own batch only", async () => {
      const storage = await opened();
      const faulty = eventOf({ event_type: null as never });
      const [before, broken, after] = await Promise.allSettled([
        storage.appendEvents([eventOf({ message_key: key("before") })]),
        storage.appendEvents([
          eventOf({ message_key: key("1") }),
          faulty,
          eventOf({ message_key: key("2") }),
        ]),
        storage.appendEvents([eventOf({ message_key: key("after") })]),
      ]);
      expect([before.status, broken.status, after.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
      const again = await storage.appendEvents(
        ["before", "1", "2", "after"].map((text) => eventOf({ message_key: key(text) })),
      );
      expect(again.map(({ duplicate }) => duplicate)).toEqual([true, false, false, true]);
    });

    test("accept a batch of 2,000", async () => {
      const storage = await opened();
      const answers = await storage.appendEvents(Array.from({ length: 2_000 }, () => eventOf()));
      expect(new Set(answers.map(({ id }) => id)).size).toBe(2_000);
    });
  });

  describe(`${name} experiments`, () => {
    test("are stored completely, with variants in declared order", async () => {
      const storage = await opened();
      const wanted = experimentOf({
        test_name: `'Zoë"; drop table events; -- 用户 😀`,
        description: "one\n\ttwo",
        variants: [
          { variant_name: "z", weight: 0.1, description: "the last letter" },
          { variant_name: "a", weight: 0 },
          { variant_name: "m", weight: 1e9 },
        ],
        control: "a",
        traffic: 0.3,
        confidence_level: 0.99,
        planned_users: 1_000_000,
        metrics: [{ metric_name: "buy", kind: "conversion", direction: "decrease", primary: true }],
      });
      const experiment = await storage.createExperiment(wanted);
      if (experiment === undefined) throw new Error("not created");
      const { id, variants, ...rest } = experiment;
      const { variants: wantedVariants, ...wantedRest } = wanted;
      expect(rest).toEqual(wantedRest);
      expect(variants.map(({ id: _, ...variant }) => variant)).toEqual(wantedVariants);
      expect(new Set(variants.map((variant) => variant.id)).size).toBe(3);
      expect(await storage.findExperiment(id)).toEqual(experiment);
      expect(await storage.listExperiments({ limit: 9 })).toEqual([experiment]);
      expect(await storage.findExperimentByName(experiment.test_name)).toEqual(experiment);
      expect(await storage.findExperimentByName("another name")).toBeUndefined();
    });

    test("have unique names, also under concurrent creation", async () => {
      const storage = await opened();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          storage.createExperiment(experimentOf({ test_name: "one", description: String(n) })),
        ),
      );
      const winners = answers.filter((answer) => answer !== undefined);
      expect(winners).toHaveLength(1);
      expect(await storage.listExperiments({ limit: 100 })).toEqual(winners);
      expect(await storage.createExperiment(experimentOf({ test_name: "one" }))).toBeUndefined();
    });

    test("are not created if a part is invalid, and the name stays free", async () => {
      const storage = await opened();
      const wanted = experimentOf();
      const [red, blue] = wanted.variants;
      if (red === undefined || blue === undefined) throw new Error("The experiment needs two variants.");
      const faulty = { ...wanted, variants: [red, { ...blue, variant_name: null as never }] };
      await expect(storage.createExperiment(faulty)).rejects.toThrow();
      expect(await storage.listExperiments({ limit: 9 })).toEqual([]);
      expect(await storage.createExperiment(wanted)).toBeDefined();
    });

    test("are listed newest first, in pages and by status", async () => {
      const storage = await opened();
      const all: Experiment[] = [];
      for (let n = 0; n < 5; n += 1) all.unshift(await created(storage, { test_name: `test ${n}` }));
      expect(await storage.listExperiments({ limit: 9 })).toEqual(all);
      expect(await storage.listExperiments({ limit: 2 })).toEqual(all.slice(0, 2));
      expect(await storage.listExperiments({ limit: 2, before: all[1]?.id })).toEqual(all.slice(2, 4));
      expect(await storage.listExperiments({ limit: 9, before: all[4]?.id })).toEqual([]);
      expect(await storage.listExperiments({ limit: 9, status: "running" })).toEqual(all);
      expect(await storage.listExperiments({ limit: 9, status: "stopped" })).toEqual([]);
      expect(await storage.listExperiments({ limit: 9, status: "running", before: all[3]?.id })).toEqual(
        all.slice(4),
      );
    });

    test("are undefined for unknown ids", async () => {
      const { storage, test_id } = await openColours();
      expect(await storage.findExperiment(test_id + 1)).toBeUndefined();
    });
  });

  describe(`${name} assignments`, () => {
    test("keep the first variant, and return it for later ones", async () => {
      const { storage, test_id, red, blue } = await openColours();
      const [first] = await storage.assign(test_id, [{ user_id: "ann", variant_id: red, assigned_at: AT }]);
      expect(first).toEqual({
        user_id: "ann",
        variant_id: red,
        assigned_at: AT,
        created: true,
        enrolled: true,
      });
      const [second] = await storage.assign(test_id, [
        { user_id: "ann", variant_id: blue, assigned_at: AT + 1 },
      ]);
      expect(second).toEqual({
        user_id: "ann",
        variant_id: red,
        assigned_at: AT,
        created: false,
        enrolled: true,
      });
      const known = { user_id: "ann", variant_id: red, assigned_at: AT, forced: false };
      expect(await storage.findAssignment(test_id, "ann")).toEqual(known);
    });

    test("are answered in order, including a user listed twice", async () => {
      const { storage, test_id, red, blue } = await openColours();
      const candidate = (user_id: string, variant_id: number) => ({ user_id, variant_id, assigned_at: AT });
      const answers = await storage.assign(test_id, [
        candidate("ann", red),
        candidate("bob", blue),
        candidate("ann", blue),
      ]);
      expect(answers.map(({ user_id, variant_id, created }) => [user_id, variant_id, created])).toEqual([
        ["ann", red, true],
        ["bob", blue, true],
        ["ann", red, false],
      ]);
      expect(await storage.assign(test_id, [])).toEqual([]);
    });

    test("store one variant per user under two hundred concurrent calls", async () => {
      const { storage, test_id, red, blue } = await openColours();
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          storage.assign(test_id, [
            { user_id: "ann", variant_id: n % 2 === 0 ? red : blue, assigned_at: AT + n },
          ]),
        ),
      );
      const winners = answers.map(([one]) => one);
      expect(winners.filter((winner) => winner.created)).toHaveLength(1);
      expect(new Set(winners.map(({ variant_id, assigned_at }) => `${variant_id} ${assigned_at}`)).size).toBe(
        1,
      );
      const tallies = await variantsOf(storage, test_id);
      expect(sumOf(tallies.map(({ users }) => users))).toBe(1);
    });

    test("are separate per experiment and per exact user id", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      const other = await created(storage, { test_name: "other" });
      await enrol(red, "ann", "Zoë 😀", "'; --");
      expect(await storage.findAssignment(other.id, "ann")).toBeUndefined();
      expect(await storage.findAssignment(test_id, "Ann")).toBeUndefined();
      expect(await storage.findAssignment(test_id, "Zoe\u0308 😀")).toBeUndefined();
      expect(await storage.findAssignment(test_id, "Zoë 😀")).toBeDefined();
      expect(await storage.findAssignment(test_id, "'; --")).toBeDefined();
    });

    test.each([
      "2026-11-22T10:00:00.001Z",
      "1969-12-31T23:59:59.999Z",
      "1066-10-14T09:00:00.000Z",
      "0001-01-01T00:00:00.000Z",
      "9999-12-31T23:59:59.999Z",
    ])("store the instant %s to the millisecond", async (text) => {
      const { storage, test_id, red } = await openColours();
      await storage.assign(test_id, [{ user_id: "ann", variant_id: red, assigned_at: Date.parse(text) }]);
      const found = await storage.findAssignment(test_id, "ann");
      expect(new Date(found?.assigned_at ?? 0).toISOString()).toBe(text);
    });

    test("are read for one user in many experiments, leaving out experiments without one", async () => {
      const storage = await opened();
      const [one, two, three] = [
        await coloursIn(storage, { test_name: "one" }),
        await coloursIn(storage, { test_name: "two" }),
        await coloursIn(storage, { test_name: "three" }),
      ];
      await one.enrol(one.red, "ann", "bob");
      await storage.updateExperiment(two.test_id, (stored) => ({
        experiment: stored,
        forced: [{ user_id: "ann", variant_id: two.blue }],
        at: AT,
      }));
      await three.enrol(three.red, "bob");
      const ids = [three.test_id, two.test_id, one.test_id, 999_999];
      const ann = { user_id: "ann", assigned_at: AT };
      expect(await storage.findAssignments(ids, "ann")).toEqual(
        new Map([
          [one.test_id, { ...ann, variant_id: one.red, forced: false }],
          [two.test_id, { ...ann, variant_id: two.blue, forced: true }],
        ]),
      );
      expect(await storage.findAssignments([], "ann")).toEqual(new Map());
    });

    test("are made for one user in many experiments, keep the first variant and skip unknown experiments", async () => {
      const storage = await opened();
      const [one, two] = [
        await coloursIn(storage, { test_name: "one" }),
        await coloursIn(storage, { test_name: "two" }),
      ];
      await one.enrol(one.red, "ann");
      const candidate = (test_id: number, variant_id: number) => ({
        test_id,
        user_id: "ann",
        variant_id,
        assigned_at: AT + 1,
      });
      const answers = await storage.assignUser([
        candidate(two.test_id, two.blue),
        candidate(999_999, 1),
        candidate(one.test_id, one.blue),
      ]);
      expect(answers).toEqual([
        { user_id: "ann", variant_id: two.blue, assigned_at: AT + 1, created: true, enrolled: true },
        undefined,
        { user_id: "ann", variant_id: one.red, assigned_at: AT, created: false, enrolled: true },
      ]);
      expect(await storage.assignUser([])).toEqual([]);
      const users = (await variantsOf(storage, two.test_id)).map((tally) => [tally.variant_id, tally.users]);
      expect(new Map(users as [number, number][]).get(two.blue)).toBe(1);
    });

    test("are made for one user in a thousand experiments", async () => {
      const storage = await opened();
      const all = await Promise.all(
        Array.from({ length: 1_000 }, (_, n) => created(storage, { test_name: `test ${n}` })),
      );
      const candidates = all.map(({ id, variants }) => ({
        test_id: id,
        user_id: "ann",
        variant_id: variants[0]?.id ?? 0,
        assigned_at: AT,
      }));
      const answers = await storage.assignUser(candidates);
      expect(answers).toEqual(
        candidates.map(({ test_id: _, ...won }) => ({ ...won, created: true, enrolled: true })),
      );
      const listed = await storage.listExperiments({ limit: 1_000, status: "running" });
      expect(listed).toEqual([...all].sort((a, b) => b.id - a.id));
    });

    test("are stored all or none per batch: an unknown variant rejects its own batch only", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      const [broken, good] = await Promise.allSettled([
        storage.assign(test_id, [
          { user_id: "ann", variant_id: red, assigned_at: AT },
          { user_id: "bob", variant_id: red + 1_000, assigned_at: AT },
        ]),
        enrol(red, "cyd"),
      ]);
      expect([broken.status, good.status]).toEqual(["rejected", "fulfilled"]);
      expect(await storage.findAssignment(test_id, "ann")).toBeUndefined();
      expect(await storage.findAssignment(test_id, "cyd")).toBeDefined();
      expect(await variantsOf(storage, test_id)).toEqual([{ variant_id: red, users: 1, metrics: [] }]);
    });
  });

  describe(`${name} metric values`, () => {
    test("are answered in order with the variant of the user, and refused for unassigned users", async () => {
      const { storage, test_id, red, blue, enrol } = await openColours();
      await enrol(red, "ann");
      await enrol(blue, "bob");
      const [bob, nobody, ann] = await storage.appendMetrics(test_id, [
        metricOf({ user_id: "bob" }),
        metricOf({ user_id: "nobody" }),
        metricOf({ user_id: "ann" }),
      ]);
      expect(bob).toEqual({
        kind: "stored",
        id: expect.any(Number),
        variant_id: blue,
        duplicate: false,
        reason: null,
      });
      expect(nobody).toEqual({ kind: "not_assigned" });
      expect(ann).toEqual({
        kind: "stored",
        id: expect.any(Number),
        variant_id: red,
        duplicate: false,
        reason: null,
      });
      expect(await storage.appendMetrics(test_id, [])).toEqual([]);
    });

    test("are refused in an unknown experiment", async () => {
      const { storage, test_id } = await openColours();
      expect(await storage.appendMetrics(test_id + 1, [metricOf()])).toEqual([{ kind: "not_assigned" }]);
      expect(await variantsOf(storage, test_id + 1)).toEqual([]);
    });

    test("are stored once per message id and experiment: in a batch, later and in concurrent calls", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      await enrol(red, "ann");
      const message = metricOf({ message_key: key("m"), value: 5 });
      const [first, second] = await storage.appendMetrics(test_id, [message, { ...message, value: 6 }]);
      expect(second).toEqual({ ...first, duplicate: true });
      const storm = await Promise.all(
        Array.from({ length: 100 }, () =>
          storage.appendMetrics(test_id, [message, metricOf({ message_key: key("n") })]),
        ),
      );
      expect(storm.map(([one]) => one)).toEqual(storm.map(() => ({ ...first, duplicate: true })));
      expect(storm.filter(([, one]) => one.kind === "stored" && !one.duplicate)).toHaveLength(1);
      const [tally] = await variantsOf(storage, test_id);
      expect(tally?.metrics).toMatchObject([{ raw: { count: 2, sum: 6 }, count: 2, sum: 6 }]);

      const other = await coloursIn(storage, { test_name: "other" });
      await other.enrol(other.red, "ann");
      const [elsewhere] = await storage.appendMetrics(other.test_id, [message]);
      expect(elsewhere).toMatchObject({ kind: "stored", duplicate: false });
    });

    test("are stored and counted all or none per batch: an invalid value rejects its own batch only", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      await enrol(red, "ann");
      const good = (text: string) => metricOf({ message_key: key(text) });
      const [before, broken, after] = await Promise.allSettled([
        storage.appendMetrics(test_id, [good("before")]),
        storage.appendMetrics(test_id, [good("1"), metricOf({ value: null as never }), good("2")]),
        storage.appendMetrics(test_id, [good("after")]),
      ]);
      expect([before.status, broken.status, after.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect((await variantsOf(storage, test_id))[0]?.metrics).toMatchObject([
        { count: 2, sum: 2, users: 1 },
      ]);
      const again = await storage.appendMetrics(test_id, ["before", "1", "2", "after"].map(good));
      expect(again.map((one) => one.kind === "stored" && one.duplicate)).toEqual([true, false, false, true]);
    });

    test("count from the assignment on: earlier ones are only stored", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      await enrol(red, "ann");
      await storage.appendMetrics(test_id, [
        metricOf({ value: 4, occurred_at: AT - 1 }),
        metricOf({ value: 7, occurred_at: AT }),
        metricOf({ value: -1, occurred_at: AT + 1, created_at: AT + 1 }),
      ]);
      expect(await variantsOf(storage, test_id)).toEqual([
        {
          variant_id: red,
          users: 1,
          metrics: [
            {
              metric_name: "revenue",
              raw: { count: 3, sum: 10 },
              count: 2,
              sum: 6,
              users: 1,
            },
          ],
        },
      ]);
    });

    test("count if a slow client clock allows that they occurred after the assignment", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      await enrol(red, "ann");
      await storage.appendMetrics(test_id, [
        metricOf({ value: 4, occurred_at: AT - 2 * DAY, latest_at: AT - 1 }),
        metricOf({ value: 7, occurred_at: AT - 2 * DAY, latest_at: AT }),
      ]);
      const [tally] = await variantsOf(storage, test_id);
      expect(tally?.metrics).toMatchObject([{ raw: { count: 2 }, count: 1, sum: 7 }]);
    });

    test("give the same counts in one batch, one by one or concurrently", async () => {
      const storage = await opened();
      let tests = 0;
      const fresh = async () => {
        tests += 1;
        const colours = await coloursIn(storage, { test_name: `batch ${tests}` });
        await colours.enrol(colours.red, "ann", "bob");
        await colours.enrol(colours.blue, "cyd");
        return colours;
      };
      const shown = async ({ test_id, red }: Colours) =>
        await (await variantsOf(storage, test_id)).map((tally) => ({
          ...tally,
          variant_id: tally.variant_id - red,
        }));
      await fc.assert(
        fc.asyncProperty(fc.array(someMetric, { maxLength: 30 }), async (metrics) => {
          const [batch, single, turn] = [await fresh(), await fresh(), await fresh()];
          const words = (await storage.appendMetrics(batch.test_id, metrics)).map((one) => one.kind);
          for (const [index, metric] of metrics.entries()) {
            const [one] = await storage.appendMetrics(single.test_id, [metric]);
            expect(one.kind).toBe(words[index]);
          }
          await Promise.all(metrics.map((metric) => storage.appendMetrics(turn.test_id, [metric])));
          expect(await shown(single)).toEqual(await shown(batch));
          expect(await shown(turn)).toEqual(await shown(batch));
        }),
        { numRuns: cases(15) },
      );
    });

    test("may have any size: those in range count, and later values are still accepted", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      await enrol(red, "ann", "bob");
      for (const value of [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 1]) {
        const [ann, bob] = await storage.appendMetrics(test_id, [
          metricOf({ value }),
          metricOf({ user_id: "bob", value: -value, metric_name: "revenue" }),
        ]);
        expect([ann.kind, bob.kind]).toEqual(["stored", "stored"]);
      }
      expect((await variantsOf(storage, test_id))[0]?.metrics).toMatchObject([
        { raw: { count: 4 }, count: 4, sum: 0 },
      ]);
    });
  });

  describe(`${name} experiment changes`, () => {
    test("are applied to the stored experiment, and return the result", async () => {
      const { storage, experiment, test_id } = await openColours();
      const changed = { ...experiment, description: "another", traffic: 0.5 };
      const answer = await storage.updateExperiment(test_id, (stored) => {
        expect(stored).toEqual(experiment);
        return { experiment: changed, forced: [], at: AT };
      });
      expect(answer).toEqual(changed);
      expect(await storage.findExperiment(test_id)).toEqual(changed);
      expect(await storage.listExperiments({ limit: 9 })).toEqual([changed]);
    });

    test("are applied one after another under concurrent calls", async () => {
      const { storage, test_id } = await openColours({ description: "" });
      const add = (letter: string) =>
        storage.updateExperiment(test_id, (stored) => ({
          experiment: { ...stored, description: `${stored.description}${letter}` },
          forced: [],
          at: AT,
        }));
      await Promise.all(["a", "b", "c", "d"].map(add));
      const found = await storage.findExperiment(test_id);
      expect(found?.description?.split("").sort()).toEqual(["a", "b", "c", "d"]);
    });

    test("are not applied if the change throws, and the call is rejected", async () => {
      const { storage, experiment, test_id } = await openColours();
      const refused = new Error("not so");
      const answer = storage.updateExperiment(test_id, () => {
        throw refused;
      });
      await expect(answer).rejects.toBe(refused);
      expect(await storage.findExperiment(test_id)).toEqual(experiment);
      const nowhere = await storage.updateExperiment(test_id + 1, (stored) => ({
        experiment: stored,
        forced: [],
        at: AT,
      }));
      expect(nowhere).toBeUndefined();
    });

    test("of weights reassign no user, and record under which weights each was assigned", async () => {
      const { storage, test_id, red, blue, enrol } = await openColours();
      await enrol(red, "ann", "bob");
      await storage.updateExperiment(test_id, (stored) => ({
        experiment: {
          ...stored,
          variants: stored.variants.map((variant) => ({ ...variant, weight: variant.id === red ? 0 : 5 })),
        },
        forced: [],
        at: AT,
      }));
      await enrol(blue, "cyd");
      expect((await storage.findAssignment(test_id, "ann"))?.variant_id).toBe(red);
      const { periods = [], cells = [] } = (await storage.experimentCells(test_id)) ?? {};
      const shown = periods.map(({ weights }, index) =>
        weights
          .map(({ variant_id, weight }) => {
            const own = cells.filter((cell) => cell.period === index && cell.variant_id === variant_id);
            return [variant_id === red ? "red" : "blue", weight, sumOf(own.map(({ users }) => users))];
          })
          .sort(),
      );
      expect(shown).toEqual([
        [
          ["blue", 1, 0],
          ["red", 1, 2],
        ],
        [
          ["blue", 5, 1],
          ["red", 0, 0],
        ],
      ]);
    });

    test("that stop an experiment keep storing later values without counting them", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      await enrol(red, "ann");
      await storage.appendMetrics(test_id, [metricOf({ value: 3 })]);
      const before = await variantsOf(storage, test_id);
      await storage.updateExperiment(test_id, (stored) => ({
        experiment: { ...stored, status: "stopped", stopped_at: AT },
        forced: [],
        at: AT,
      }));
      const late = metricOf({ value: 4, message_key: key("late") });
      const [stored] = await storage.appendMetrics(test_id, [late]);
      expect(stored).toMatchObject({ kind: "stored", duplicate: false, reason: "after_stop" });
      expect(await storage.appendMetrics(test_id, [late])).toEqual([
        { ...stored, duplicate: true, reason: null },
      ]);
      expect(await variantsOf(storage, test_id)).toEqual(before);
    });

    test("of testers show them a variant without assigning them", async () => {
      const { storage, test_id, blue } = await openColours();
      const force = (variant_id: number | null) =>
        storage.updateExperiment(test_id, (stored) => ({
          experiment: stored,
          forced: [{ user_id: "tester", variant_id }],
          at: AT,
        }));
      await force(blue);
      const known = { user_id: "tester", variant_id: blue, assigned_at: AT, forced: true };
      expect(await storage.findAssignment(test_id, "tester")).toEqual(known);
      const [value] = await storage.appendMetrics(test_id, [metricOf({ user_id: "tester" })]);
      expect(value).toMatchObject({ kind: "stored", variant_id: blue });
      expect(await variantsOf(storage, test_id)).toEqual([]);
      await force(null);
      expect(await storage.findAssignment(test_id, "tester")).toBeUndefined();
    });

    test("that delete an experiment remove all its rows and no others", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      const other = await coloursIn(storage, { test_name: "other" });
      await enrol(red, "ann");
      await other.enrol(other.red, "ann");
      await storage.appendMetrics(test_id, [metricOf({ message_key: key("m") })]);
      await storage.appendMetrics(other.test_id, [metricOf()]);
      const others = await storage.experimentCells(other.test_id);
      const answers = await Promise.all([
        storage.deleteExperiment(test_id),
        storage.deleteExperiment(test_id),
      ]);
      expect(answers.sort()).toEqual([false, true]);
      expect(await storage.findExperiment(test_id)).toBeUndefined();
      expect(await storage.findAssignment(test_id, "ann")).toBeUndefined();
      expect(await variantsOf(storage, test_id)).toEqual([]);
      expect(await storage.dayCells(test_id)).toEqual([]);
      expect(await storage.appendMetrics(test_id, [metricOf()])).toEqual([{ kind: "not_assigned" }]);
      expect(await storage.experimentCells(other.test_id)).toEqual(others);
      expect(await storage.createExperiment(experimentOf())).toBeDefined();
    });
  });

  describe(`${name} deletion of an experiment with thousands of users`, () => {
    const USERS_OF_MANY = Array.from({ length: 2_500 }, (_, n) => `user-${n}`);

    test("hides it immediately, and frees its name and users", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      await enrol(red, ...USERS_OF_MANY);
      await storage.appendMetrics(
        test_id,
        USERS_OF_MANY.slice(0, 1_500).map((user_id) => metricOf({ user_id })),
      );
      expect(await storage.deleteExperiment(test_id)).toBe(true);

      expect(await storage.deleteExperiment(test_id)).toBe(false);
      expect(await storage.findExperiment(test_id)).toBeUndefined();
      expect(await storage.listExperiments({ limit: 9 })).toEqual([]);
      expect(await storage.updateExperiment(test_id, () => expect.unreachable())).toBeUndefined();
      expect(await storage.findAssignment(test_id, "user-2499")).toBeUndefined();
      expect(await storage.findAssignments([test_id], "user-0")).toEqual(new Map());
      expect(await variantsOf(storage, test_id)).toEqual([]);
      expect(await storage.dayCells(test_id)).toEqual([]);
      const late = metricOf({ user_id: "user-2499" });
      expect(await storage.appendMetrics(test_id, [late])).toEqual([{ kind: "not_assigned" }]);
      const candidate = { test_id, user_id: "user-2499", variant_id: red, assigned_at: AT };
      expect(await storage.assignUser([candidate])).toEqual([undefined]);
      await expect(enrol(red, "new")).rejects.toThrow();

      const again = await coloursIn(storage);
      const [won] = await again.enrol(again.red, "user-0");
      expect(won).toMatchObject({ created: true, variant_id: again.red });
    });

    test("keeps every row of other experiments while rows are removed", async () => {
      const { storage, test_id, red, enrol } = await openColours();
      const other = await coloursIn(storage, { test_name: "other" });
      await enrol(red, ...USERS_OF_MANY);
      await other.enrol(other.blue, ...USERS_OF_MANY.slice(0, 500));
      await other.storage.appendMetrics(other.test_id, [metricOf({ user_id: "user-7" })]);
      const before = await storage.experimentCells(other.test_id);
      await storage.deleteExperiment(test_id);
      const [known] = await other.enrol(other.red, "user-499");
      expect(known).toMatchObject({ created: false, variant_id: other.blue });
      expect(await storage.experimentCells(other.test_id)).toEqual(before);
    });
  });

  describe(`${name} metrics computed from events`, () => {
    const buying = { metrics: [{ metric_name: "revenue", event_type: "buy", property: "price" }] };
    const buy = (price: unknown, changes: Partial<NewEvent> = {}) =>
      eventOf({ event_type: "buy", user_id: "ann", properties: JSON.stringify({ price }), ...changes });

    test("are stored with the event, once per message id, for assigned users from the assignment on", async () => {
      const { storage, test_id, red, enrol } = await openColours(buying);
      await enrol(red, "ann");
      await storage.appendEvents([
        buy(3),
        buy(4, { message_key: key("m") }),
        buy(4, { message_key: key("m") }),
        buy(50, { user_id: "nobody" }),
        buy(50, { user_id: null }),
        buy(50, { event_type: "look" }),
        buy("50"),
        buy(50, { occurred_at: AT - 1 }),
      ]);
      const [tally] = await variantsOf(storage, test_id);
      expect(tally?.metrics).toMatchObject([{ metric_name: "revenue", count: 2, sum: 7, users: 1 }]);
    });

    test("include events that may have occurred after the assignment by a slow client clock", async () => {
      const { storage, test_id, red, enrol } = await openColours(buying);
      await enrol(red, "ann");
      await storage.appendEvents([
        buy(3, { occurred_at: AT - 2 * DAY, latest_at: AT }),
        buy(50, { occurred_at: AT - 2 * DAY, latest_at: AT - 1 }),
      ]);
      const [tally] = await variantsOf(storage, test_id);
      expect(tally?.metrics).toMatchObject([{ metric_name: "revenue", count: 1, sum: 3 }]);
      expect((await storage.dayCells(test_id)).map(({ day }) => day)).toEqual([Math.floor(AT / DAY)]);
    });

    test("are not stored if the batch fails", async () => {
      const { storage, test_id, red, enrol } = await openColours(buying);
      await enrol(red, "ann");
      await expect(storage.appendEvents([buy(3), buy(1, { event_type: null as never })])).rejects.toThrow();
      expect(await variantsOf(storage, test_id)).toEqual([{ variant_id: red, users: 1, metrics: [] }]);
    });
  });

  describe(`${name} saved questions`, () => {
    const saved = (question_id: string, changes: Partial<SavedQuestion> = {}): SavedQuestion => ({
      question_id,
      name: question_id,
      pinned: false,
      question: {
        report: "trend",
        range: "today",
        query: { event_type: ["click"], where: { a: "\u2028é" } },
      },
      created_at: AT,
      ...changes,
    });

    test("are kept as they were put, oldest first, and one of the same id replaces the first", async () => {
      const storage = await opened();
      await storage.putSavedQuestion(() => saved("b"));
      await storage.putSavedQuestion(() => saved("a"));
      await storage.putSavedQuestion(() => saved("old", { created_at: AT - 1 }));
      const pinned = saved("b", { name: "pinned", pinned: true });
      expect(await storage.putSavedQuestion(() => pinned)).toEqual(pinned);
      expect(await storage.listSavedQuestions()).toEqual([
        saved("old", { created_at: AT - 1 }),
        saved("a"),
        pinned,
      ]);
      expect(await storage.deleteSavedQuestion("b")).toBe(true);
      expect(await storage.deleteSavedQuestion("b")).toBe(false);
    });

    test("are decided upon one after the other, and none is stored where the decision throws", async () => {
      const storage = await opened();
      const numbered = (stored: readonly SavedQuestion[]) => saved(String(stored.length));
      await Promise.all(Array.from({ length: 8 }, () => storage.putSavedQuestion(numbered)));
      const names = (await storage.listSavedQuestions()).map((question) => question.name);
      expect(names).toEqual(["0", "1", "2", "3", "4", "5", "6", "7"]);
      const full = new Failure("conflict", "full");
      const refused = storage.putSavedQuestion(() => {
        throw full;
      });
      await expect(refused).rejects.toBe(full);
      expect(await storage.listSavedQuestions()).toHaveLength(8);
    });
  });

  describe(`${name}: share links`, () => {
    const shareOf = (letter: string, created_at = AT): ShareLink => ({
      share_id: `id-${letter}`,
      digest: letter.repeat(64),
      page: { view: "trend", query: { event_type: ["signup"], where: { plan: "é" } }, range: "last_7_days" },
      name: null,
      created_at,
      expires_at: AT + DAY,
    });

    test("are found by the whole digest of their secret, until they are deleted", async () => {
      const storage = await opened();
      const [a, b] = [
        { ...shareOf("a"), name: "For the board" },
        { ...shareOf("b"), expires_at: null },
      ];
      for (const share of [a, b]) await storage.addShare(share);
      expect(await storage.findShare(a.digest)).toEqual(a);
      expect(await storage.findShare(a.digest.slice(1))).toBeUndefined();
      expect(await storage.deleteShare(a.share_id)).toBe(true);
      expect(await storage.deleteShare(a.share_id)).toBe(false);
      expect(await storage.findShare(a.digest)).toBeUndefined();
      expect(await storage.findShare(b.digest)).toEqual(b);
    });

    test("are listed newest first, those of one time by their ids, page by page", async () => {
      const storage = await opened();
      const [a, b, c] = [shareOf("a"), shareOf("b"), shareOf("c", AT - 1)];
      for (const share of [b, c, a]) await storage.addShare(share);
      expect(await storage.listShares({ limit: 9 })).toEqual([b, a, c]);
      expect(await storage.listShares({ limit: 1 })).toEqual([b]);
      expect(await storage.listShares({ limit: 9, before: b })).toEqual([a, c]);
    });
  });

  describe(`${name} storage`, () => {
    test("reports that it is readable and writable", async () => {
      expect(await (await opened()).check()).toEqual({ state: "ok", erasuresWaiting: 0 });
    });

    test("finishes calls in progress before it closes", async () => {
      const storage = await open();
      const writes = Array.from({ length: 50 }, () => storage.appendEvents([eventOf()]));
      await storage.close();
      const answers = await Promise.all(writes);
      expect(new Set(answers.map(([one]) => one.id)).size).toBe(50);
    });
  });
}
