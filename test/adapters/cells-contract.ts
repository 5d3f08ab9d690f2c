import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Cell, ExperimentCells, MetricSums } from "../../domain/experiments/cells.ts";
import { ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import { changeExperiment, ExperimentChange } from "../../domain/experiments/lifecycle.ts";
import type { NewMetric } from "../../domain/experiments/metric.ts";
import { type ExactSum, noSum } from "../../domain/statistics/exact-sum.ts";
import type { Attributes, Storage } from "../../domain/storage.ts";
import { cases } from "../random.ts";
import { plainPeople } from "./plain-people.ts";

// The reference implementation of the cells of an experiment: computes them from the list of all stored rows, and
// shares no code with the product.

const DAY_MS = 86_400_000;
const AT = Date.parse("2026-11-22T10:00:00.123Z");
const LARGEST = 1e6;
const USERS = ["ann", "bob", "cyd", "dan", "eve"];

/** One metric of each kind, so that every history tests all kinds. */
const DECLARED = [
  { metric_name: "signup", kind: "conversion" },
  { metric_name: "clicks", kind: "count" },
  { metric_name: "revenue", kind: "mean" },
  { metric_name: "capped", kind: "mean", cap: 10 },
  { metric_name: "early", kind: "mean", window_days: 1 },
  { metric_name: "per_click", kind: "ratio", denominator: "clicks" },
  { metric_name: "per_signup", kind: "ratio", denominator: "signup", window_days: 2 },
] as const;
const NAMES = [...DECLARED.map(({ metric_name }) => metric_name), "undeclared"];

type Value = Pick<NewMetric, "user_id" | "metric_name" | "value" | "occurred_at">;
interface Weights {
  readonly red: number;
  readonly blue: number;
}
type Act =
  | { readonly assign: { readonly user: string; readonly variant: number; readonly at: number } }
  | { readonly values: readonly Value[] }
  | { readonly link: { readonly anonymous: string; readonly user: string } }
  | { readonly weights: Weights; readonly at: number };

const someTime = fc.integer({ min: -3 * DAY_MS, max: 4 * DAY_MS }).map((ms) => AT + ms);

const someValue = fc.record({
  user_id: fc.constantFrom(...USERS),
  metric_name: fc.constantFrom(...NAMES),
  // Quarters are exact as decimals and as doubles. Another test covers rounding in the last digit.
  value: fc.integer({ min: -4 * LARGEST, max: 4 * LARGEST }).map((quarters) => quarters / 4),
  occurred_at: someTime,
});

const someActs = fc.array(
  fc.oneof<fc.Arbitrary<Act>[]>(
    fc.record({
      assign: fc.record({
        user: fc.constantFrom(...USERS),
        variant: fc.constantFrom(0, 1),
        at: someTime,
      }),
    }),
    fc.record({ values: fc.array(someValue, { minLength: 1, maxLength: 6 }) }),
    fc
      .record({ anonymous: fc.constantFrom(...USERS), user: fc.constantFrom(...USERS) })
      .filter(({ anonymous, user }) => anonymous !== user)
      .map((link) => ({ link })),
    fc.record({
      weights: fc.record({ red: fc.integer({ min: 1, max: 3 }), blue: fc.constant(1) }),
      at: someTime,
    }),
  ),
  { minLength: 1, maxLength: 25 },
);

// --- The reference implementation
// -------------------------------------------------------------------------------------

interface Assigned {
  readonly variant: number;
  readonly period: number;
  readonly at: number;
}

/** A user of the experiment: a person, by all of their ids that were assigned. */
interface Member extends Assigned {
  readonly ids: readonly string[];
  /** The ids have different variants. */
  readonly isCrossed: boolean;
}

class PlainExperiment {
  readonly people = plainPeople();
  readonly periods = [AT];
  readonly assigned = new Map<string, Assigned>();
  readonly values: Value[] = [];
  #red = 1;

  assign(user: string, variant: number, at: number): void {
    if (this.idsOf(user).length === 0) {
      this.assigned.set(user, { variant, at, period: this.periodAt(at) });
    }
  }

  /** Stores each value under the id that it counts for: its own, else the person's first one. */
  track(values: readonly Value[]): void {
    for (const value of values) {
      const own = this.assigned.has(value.user_id) ? value.user_id : this.idsOf(value.user_id)[0];
      if (own !== undefined) this.values.push({ ...value, user_id: own });
    }
  }

  /** The assigned ids of a person, the first one first. */
  idsOf(user: string): string[] {
    return [...this.assigned]
      .filter(([id]) => this.people.personOf(id) === this.people.personOf(user))
      .sort(([a, one], [b, other]) => one.at - other.at || (a < b ? -1 : 1))
      .map(([id]) => id);
  }

  get members(): Member[] {
    return [...this.assigned].flatMap(([id, own]) => {
      const ids = this.idsOf(id);
      const variants = new Set(ids.map((one) => this.assigned.get(one)?.variant));
      return ids[0] === id ? [{ ...own, ids, isCrossed: variants.size > 1 }] : [];
    });
  }

  weigh({ red }: Weights, at: number): void {
    if (red !== this.#red) this.periods.push(at);
    this.#red = red;
  }

  periodAt(at: number): number {
    const begun = this.periods.flatMap((started, index) => (started <= at ? [index] : []));
    return begun.at(-1) ?? 0;
  }

  usersOf = (variant: number, period: number): Member[] =>
    this.members.filter(
      (member) => !member.isCrossed && member.variant === variant && member.period === period,
    );

  counted({ ids }: Member, metric: string, windowDays: number | undefined): number[] {
    return ids.flatMap((id) => this.countedOf(id, metric, windowDays));
  }

  /** The values of an id that count for a metric with this window. */
  countedOf(user: string, metric: string, windowDays: number | undefined): number[] {
    const at = this.assigned.get(user)?.at ?? Number.POSITIVE_INFINITY;
    const until = windowDays === undefined ? Number.POSITIVE_INFINITY : at + windowDays * DAY_MS;
    return this.values
      .filter((one) => one.user_id === user && one.metric_name === metric)
      .filter(({ occurred_at }) => occurred_at >= at && occurred_at <= until)
      .map(({ value }) => value);
  }

  observed(user: Member, metric: string, windowDays = windowOf(metric)): number {
    const values = this.counted(user, metric, windowDays);
    const definition = DECLARED.find(({ metric_name }) => metric_name === metric);
    if (definition?.kind === "conversion") return values.length > 0 ? 1 : 0;
    if (definition?.kind === "count") return values.length;
    const cap = definition !== undefined && "cap" in definition ? definition.cap : Number.POSITIVE_INFINITY;
    return Math.max(-cap, Math.min(cap, sumOf(values)));
  }

  metric(metric_name: string, users: readonly Member[]) {
    const definition = DECLARED.find((one) => one.metric_name === metric_name);
    const window = windowOf(metric_name);
    const y = users.map((user) => this.observed(user, metric_name));
    const denominator =
      definition !== undefined && "denominator" in definition ? definition.denominator : null;
    const d = users.map((user) => (denominator === null ? 0 : this.observed(user, denominator, window)));
    const own = users.map((user) => this.counted(user, metric_name, window).length);
    return {
      metric_name,
      users_with_value: own.filter((count) => count > 0).length,
      users_not_zero: y.filter((value) => value !== 0).length,
      count: sumOf(own),
      y: sumOf(y),
      yy: sumOf(y.map((value) => value ** 2)),
      covariate: null,
      denominator:
        denominator === null
          ? null
          : {
              d: sumOf(d),
              dd: sumOf(d.map((value) => value ** 2)),
              yd: sumOf(y.map((value, index) => value * (d[index] ?? 0))),
            },
    };
  }

  cells(variants: readonly number[]) {
    return variants.flatMap((variant_id, variant) =>
      this.periods.flatMap((_, period) => {
        const users = this.usersOf(variant, period);
        const metrics = NAMES.map((name) => this.metric(name, users))
          .filter(hasAnything)
          .sort(byName);
        return users.length === 0 ? [] : [{ variant_id, period, users: users.length, metrics }];
      }),
    );
  }

  raw(variants: readonly number[]) {
    return variants.flatMap((variant_id, variant) =>
      NAMES.flatMap((metric_name) => {
        const own = this.values.filter(
          (one) => one.metric_name === metric_name && this.assigned.get(one.user_id)?.variant === variant,
        );
        if (own.length === 0) return [];
        const late = (one: Value) =>
          one.occurred_at >
          (this.assigned.get(one.user_id)?.at ?? 0) + (windowOf(metric_name) ?? 9e9) * DAY_MS;
        const early = (one: Value) => one.occurred_at < (this.assigned.get(one.user_id)?.at ?? 0);
        const values = own.map(({ value }) => value);
        return [
          {
            variant_id,
            metric_name,
            count: own.length,
            sum: sumOf(values),
            min: Math.min(...values),
            max: Math.max(...values),
            dropped: {
              before_assignment: own.filter(early).length,
              after_stop: 0,
              after_window: own.filter(late).length,
              wrong_type: 0,
              out_of_range: 0,
            },
          },
        ];
      }),
    );
  }
}

const windowOf = (metric: string): number | undefined => {
  const definition = DECLARED.find(({ metric_name }) => metric_name === metric);
  return definition !== undefined && "window_days" in definition ? definition.window_days : undefined;
};

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const hasAnything = ({ count, denominator }: ReturnType<PlainExperiment["metric"]>): boolean =>
  count > 0 || (denominator !== null && denominator.dd !== 0);

// --- The comparison -----------------------------------------------------------------------------------------

const rounded = ({ high }: ExactSum): number => high + 0;

/** The sums of a metric as numbers, which represent them exactly. */
function plainSums({ y, yy, denominator, ...rest }: MetricSums) {
  return {
    ...rest,
    y: rounded(y),
    yy: rounded(yy),
    denominator: denominator && {
      d: rounded(denominator.d),
      dd: rounded(denominator.dd),
      yd: rounded(denominator.yd),
    },
  };
}

const byName = (a: { metric_name: string }, b: { metric_name: string }) =>
  a.metric_name < b.metric_name ? -1 : 1;

/** Sorts cells and drops empty ones: the port specifies neither order nor empty cells. */
function plainCells(cells: readonly Cell[]) {
  return cells
    .map((cell) => ({
      ...cell,
      metrics: cell.metrics
        .filter(({ count, denominator }) => count > 0 || (denominator?.dd.high ?? 0) !== 0)
        .map(plainSums)
        .sort(byName),
    }))
    .filter(({ users }) => users > 0)
    .sort((a, b) => a.variant_id - b.variant_id || a.period - b.period);
}

const inOrder = <T extends { variant_id: number; metric_name: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => a.variant_id - b.variant_id || byName(a, b));

/** Sums the cells of all days. */
function addDays(cells: readonly Cell[]): Cell[] {
  const whole = new Map<string, Cell>();
  for (const cell of cells) {
    const key = `${cell.variant_id} ${cell.period}`;
    const known = whole.get(key) ?? { ...cell, users: 0, metrics: [] };
    whole.set(key, {
      variant_id: cell.variant_id,
      period: cell.period,
      users: known.users + cell.users,
      metrics: mergeMetrics(known.metrics, cell.metrics),
    });
  }
  return [...whole.values()];
}

const added = (sums: readonly ExactSum[]): ExactSum => ({ high: sumOf(sums.map(rounded)), low: 0 });

function mergeMetrics(a: readonly MetricSums[], b: readonly MetricSums[]): MetricSums[] {
  const names = [...new Set([...a, ...b].map(({ metric_name }) => metric_name))];
  return names.map((name) => {
    const found = [...a, ...b].filter(({ metric_name }) => metric_name === name);
    const [first] = found;
    if (first === undefined) throw new Error("The metric is in neither list.");
    return {
      ...first,
      users_with_value: sumOf(found.map((one) => one.users_with_value)),
      users_not_zero: sumOf(found.map((one) => one.users_not_zero)),
      count: sumOf(found.map((one) => one.count)),
      y: added(found.map((one) => one.y)),
      yy: added(found.map((one) => one.yy)),
      denominator: first.denominator && {
        d: added(found.map(({ denominator }) => denominator?.d ?? noSum)),
        dd: added(found.map(({ denominator }) => denominator?.dd ?? noSum)),
        yd: added(found.map(({ denominator }) => denominator?.yd ?? noSum)),
      },
    };
  });
}

// --- The contract ---------------------------------------------------------------------------------------------

export function cellsContract(name: string, open: () => Promise<Storage>): void {
  async function openTest(changes: object = {}) {
    const storage = await open();
    onTestFinished(() => storage.close());
    return experimentIn(storage, changes);
  }

  async function experimentIn(storage: Storage, changes: object) {
    const input = {
      test_name: `colours ${Math.random()}`,
      variants: [{ variant_name: "red" }, { variant_name: "blue" }],
      ...changes,
    };
    const experiment = await storage.createExperiment(
      newExperiment(ExperimentInput.parse(input), "salt", AT),
    );
    if (experiment === undefined) throw new Error("The name is taken.");
    const test_id = experiment.id;
    const [red = 0, blue = 0] = experiment.variants.map(({ id }) => id);
    const enrol = (variant_id: number, assigned_at: number, ...users: string[]) =>
      storage.assign(
        test_id,
        users.map((user_id) => ({ user_id, variant_id, assigned_at })),
      );
    const track = (...values: readonly Partial<NewMetric>[]) =>
      storage.appendMetrics(
        test_id,
        values.map((value) => ({
          user_id: "ann",
          metric_name: "revenue",
          value: 1,
          created_at: AT,
          occurred_at: AT,
          message_key: null,
          ...value,
        })),
      );
    const weigh = (weights: { red: number; blue: number }, at: number) =>
      storage.updateExperiment(test_id, (stored) => ({
        experiment: changeExperiment(stored, { weights }, at),
        forced: [],
        at,
      }));
    const cells = async (): Promise<ExperimentCells> => {
      const found = await storage.experimentCells(test_id);
      if (found === undefined) throw new Error("The experiment does not exist.");
      return found;
    };
    return { storage, test_id, red, blue, enrol, track, weigh, cells };
  }

  type Opened = Awaited<ReturnType<typeof openTest>>;

  async function play(act: Act, plain: PlainExperiment, opened: Opened) {
    const { storage, test_id, red, blue, enrol, track, weigh } = opened;
    // Links are of the whole storage: each experiment has its own people.
    const named = (user: string): string => `${user} ${test_id}`;
    if ("assign" in act) {
      const { user, variant, at } = act.assign;
      await enrol(variant === 0 ? red : blue, at, named(user));
      plain.assign(user, variant, at);
    } else if ("values" in act) {
      await track(...act.values.map((value) => ({ ...value, user_id: named(value.user_id) })));
      plain.track(act.values);
    } else if ("link" in act) {
      const { anonymous, user } = act.link;
      await storage.linkUsers({ anonymous_id: named(anonymous), user_id: named(user), linked_at: AT });
      plain.people.link(anonymous, user);
    } else {
      await weigh(act.weights, act.at);
      plain.weigh(act.weights, act.at);
    }
  }

  describe(`${name} experiment cells`, () => {
    test("equal the reference implementation after any history, for all metric kinds, weight changes and linked ids", async () => {
      const { storage } = await openTest();
      await fc.assert(
        fc.asyncProperty(someActs, async (acts) => {
          const opened = await experimentIn(storage, { metrics: DECLARED });
          const plain = new PlainExperiment();
          for (const act of acts) await play(act, plain, opened);
          const { cells, raw, pending_rows, crossed } = await opened.cells();
          const variants = [opened.red, opened.blue];
          expect(plainCells(cells)).toEqual(plain.cells(variants));
          expect(inOrder(raw)).toEqual(inOrder(plain.raw(variants)));
          expect(pending_rows).toBe(0);
          expect(crossed).toBe(plain.members.filter(({ isCrossed }) => isCrossed).length);
          const days = await storage.dayCells(opened.test_id);
          expect(days.map(({ day }) => day)).toEqual(days.map(({ day }) => day).sort((a, b) => a - b));
          expect(plainCells(addDays(days))).toEqual(plainCells(cells));
        }),
        { numRuns: cases(40) },
      );
    });

    test("are identical to the last digit in any order of values", async () => {
      const values = fc.array(
        fc.record({
          user_id: fc.constantFrom("ann", "bob"),
          metric_name: fc.constantFrom("clicks", "revenue", "per_click"),
          value: fc.oneof(
            fc.double({ min: -1e12, max: 1e12, noNaN: true }),
            fc.double({ min: -1, max: 1, noNaN: true }),
          ),
        }),
        { minLength: 2, maxLength: 12 },
      );
      const { storage } = await openTest();
      const shuffled = values.chain((some) =>
        fc.tuple(
          fc.constant(some),
          fc.shuffledSubarray(some, { minLength: some.length, maxLength: some.length }),
        ),
      );
      await fc.assert(
        fc.asyncProperty(shuffled, async (orders) => {
          const results = [];
          for (const order of orders) {
            const { red, enrol, track, cells } = await experimentIn(storage, { metrics: DECLARED });
            await enrol(red, AT, "ann", "bob");
            for (const value of order) await track(value);
            const found = await cells();
            results.push(plainCells(found.cells).map(({ variant_id: _, ...cell }) => cell));
          }
          expect(results[1]).toEqual(results[0]);
        }),
        { numRuns: cases(20) },
      );
    });

    test("keep no rounding error of a value of 1e12 that was reversed", async () => {
      const { red, enrol, track, cells } = await openTest();
      await enrol(red, AT, "ann", "bob");
      await track({ value: 2.5 }, { user_id: "bob", value: 1e12 }, { user_id: "bob", value: -1e12 });
      const [cell] = (await cells()).cells;
      const sums = cell?.metrics[0];
      expect([sums?.y.high, sums?.yy.high, sums?.users_with_value, sums?.users_not_zero]).toEqual([
        2.5, 6.25, 2, 1,
      ]);
    });

    test("begin a new period at a change of weights, and none at a change of traffic", async () => {
      const { storage, test_id, red, blue, enrol, weigh, cells } = await openTest();
      await enrol(red, AT, "ann");
      await storage.updateExperiment(test_id, (stored) => ({
        experiment: changeExperiment(stored, { traffic: 0.5 }, AT + 1),
        forced: [],
        at: AT + 1,
      }));
      await weigh({ red: 9, blue: 1 }, AT + DAY_MS);
      await enrol(red, AT + DAY_MS, "bob");
      await enrol(blue, AT + DAY_MS - 1, "cyd");
      await enrol(blue, AT - 9 * DAY_MS, "dan");
      const { periods, cells: found } = await cells();
      const weights = (a: number, b: number) => [
        { variant_id: red, weight: a },
        { variant_id: blue, weight: b },
      ];
      expect(periods).toEqual([
        { started_at: AT, weights: weights(1, 1) },
        { started_at: AT + DAY_MS, weights: weights(9, 1) },
      ]);
      expect(plainCells(found)).toEqual([
        { variant_id: red, period: 0, users: 1, metrics: [] },
        { variant_id: red, period: 1, users: 1, metrics: [] },
        { variant_id: blue, period: 0, users: 2, metrics: [] },
      ]);
    });

    test("belong to the day on which a value occurred, also after a value one year ahead", async () => {
      const { storage, test_id, red, enrol, track } = await openTest();
      await enrol(red, AT, "ann", "bob");
      await track({ occurred_at: AT + 365 * DAY_MS });
      await track({ user_id: "bob", occurred_at: AT + DAY_MS }, { occurred_at: AT + 2 * DAY_MS });
      const days = await storage.dayCells(test_id);
      const today = Math.floor(AT / DAY_MS);
      const seen = days.map(({ day, users, metrics }) => [day - today, users, metrics[0]?.y.high]);
      expect(seen).toEqual([
        [0, 2, undefined],
        [1, 0, 1],
        [365, 0, 2],
      ]);
    });

    test("exclude testers, and values after the stop, which count as dropped", async () => {
      const { storage, test_id, red, blue, enrol, track, cells } = await openTest();
      await enrol(red, AT, "ann");
      await track({ value: 5 });
      await storage.updateExperiment(test_id, (stored) => ({
        experiment: stored,
        forced: [{ user_id: "tess", variant_id: blue }],
        at: AT,
      }));
      await track({ user_id: "tess", value: 9 });
      await storage.updateExperiment(test_id, (stored) => ({
        experiment: changeExperiment(stored, { status: "stopped" }, AT),
        forced: [],
        at: AT,
      }));
      await track({ value: 7 });
      const { cells: found, raw } = await cells();
      expect(found.map((cell) => [cell.variant_id, cell.users, cell.metrics[0]?.y.high])).toEqual([
        [red, 1, 5],
      ]);
      const dropped = {
        before_assignment: 0,
        after_stop: 1,
        after_window: 0,
        wrong_type: 0,
        out_of_range: 0,
      };
      expect(raw).toEqual([
        { variant_id: red, metric_name: "revenue", count: 1, sum: 5, min: 5, max: 5, dropped },
      ]);
    });

    test("count events as dropped whose property is text or out of range", async () => {
      const metrics = [{ metric_name: "revenue", event_type: "buy", property: "amount" }];
      const { storage, red, enrol, cells } = await openTest({ metrics });
      await enrol(red, AT, "ann");
      const buy = (properties: object, occurred_at = AT) => ({
        event_type: "buy",
        user_id: "ann",
        session_id: null,
        properties: JSON.stringify(properties),
        created_at: AT,
        occurred_at,
        message_key: null,
      });
      await storage.appendEvents([
        buy({ amount: 2.5 }),
        buy({ amount: "2.5" }),
        buy({ amount: 2e12 }),
        buy({ amount: 1 }, AT - 1),
        buy({}),
      ]);
      const { cells: found, raw } = await cells();
      expect(found[0]?.metrics.map(({ count, y }) => [count, y.high])).toEqual([[1, 2.5]]);
      const dropped = {
        before_assignment: 1,
        after_stop: 0,
        after_window: 0,
        wrong_type: 1,
        out_of_range: 1,
      };
      expect(raw).toEqual([
        { variant_id: red, metric_name: "revenue", count: 2, sum: 3.5, min: 1, max: 2.5, dropped },
      ]);
    });

    test("sum the covariates of the assignments over all users of the cell", async () => {
      const metrics = [
        { metric_name: "revenue", covariate: { attribute: "before" } },
        { metric_name: "clicks", kind: "count" },
      ];
      const { storage, test_id, red, track, cells } = await openTest({ metrics });
      const candidate = (user_id: string, attributes?: Attributes) => ({
        user_id,
        variant_id: red,
        assigned_at: AT,
        attributes,
      });
      await storage.assign(test_id, [
        candidate("ann", { before: 2, plan: "pro" }),
        candidate("bob", { before: 5 }),
        candidate("cyd", { before: "7" }),
        candidate("dan"),
        candidate("ann", { before: 100 }),
      ]);
      await storage.assign(test_id, [candidate("bob", { before: 100 })]);
      await track({ value: 3 }, { value: 1 }, { user_id: "cyd", value: 9 });
      const [cell] = (await cells()).cells;
      const sums = cell?.metrics.find(({ metric_name }) => metric_name === "revenue");
      const rounds = (one: ExactSum | undefined) => one?.high;
      const { x, xx, xy } = sums?.covariate ?? {};
      expect([cell?.users, sums?.users_with_value, rounds(x), rounds(xx), rounds(xy)]).toEqual([
        4, 2, 7, 29, 8,
      ]);
      const [day] = await storage.dayCells(test_id);
      expect(day?.metrics.find(({ metric_name }) => metric_name === "revenue")?.covariate).toEqual(
        sums?.covariate,
      );
    });

    test("contain exactly the planned users when calls compete for the last one", async () => {
      const { storage, test_id, red, enrol, cells } = await openTest({ planned_users: 100 });
      await enrol(red, AT, ...Array.from({ length: 95 }, (_, n) => `user-${n}`));
      expect((await cells()).planned_users_reached_at).toBeNull();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => enrol(red, AT + 1, `racer-${n}`)),
      );
      const enrolled = answers.filter(([one]) => one?.enrolled);
      expect(enrolled.map(([one]) => one?.created)).toEqual([true, true, true, true, true]);
      expect(answers.filter(([one]) => one?.created)).toHaveLength(5);
      const { cells: found, planned_users_reached_at } = await cells();
      expect([found[0]?.users, planned_users_reached_at]).toEqual([100, AT + 1]);
      expect((await storage.findExperiment(test_id))?.planned_users_reached_at).toBe(AT + 1);
      const [known, late] = await enrol(red, AT + 9, "user-1", "late");
      expect(known).toEqual({
        user_id: "user-1",
        variant_id: red,
        assigned_at: AT,
        created: false,
        enrolled: true,
      });
      expect(late).toMatchObject({ created: false, enrolled: false });
      expect(await storage.findAssignment(test_id, "late")).toBeUndefined();
    });

    test("contain all users of the call that reaches the planned number", async () => {
      const { red, enrol, cells } = await openTest({ planned_users: 100 });
      const users = Array.from({ length: 130 }, (_, n) => `user-${n}`);
      const won = await enrol(red, AT, ...users, "user-1");
      expect(won.filter(({ created, enrolled }) => created && enrolled)).toHaveLength(130);
      expect((await cells()).cells[0]?.users).toBe(130);
    });

    test("accept values until the window of the last planned user ends", async () => {
      const { red, enrol, track, cells } = await openTest({ planned_users: 100, window_days: 1 });
      await enrol(red, AT, ...Array.from({ length: 100 }, (_, n) => `user-${n}`));
      const value = { user_id: "user-7", occurred_at: AT + 1 };
      const [inTime] = await track({ ...value, created_at: AT + DAY_MS });
      const [late] = await track({ ...value, created_at: AT + DAY_MS + 1 });
      expect([inTime, late]).toMatchObject([{ reason: null }, { reason: "after_stop" }]);
      expect((await cells()).cells[0]?.metrics[0]?.count).toBe(1);
    });

    test("get ranges of an exclusion group that no two open experiments share", async () => {
      const storage = await open();
      onTestFinished(() => storage.close());
      const create = (share: number, status = "running") => {
        const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
        const input = ExperimentInput.parse({ test_name: `test ${Math.random()}`, variants, status });
        return storage.createExperiment(newExperiment(input, "salt", AT), { name: "page", share });
      };
      const [one, two] = await Promise.all([create(0.4), create(0.3, "draft")]);
      const ranges = [one, two].map((experiment) => experiment?.exclusion_group);
      expect([...ranges].sort((a, b) => (a?.from ?? 0) - (b?.from ?? 0))[0]?.from).toBe(0);
      const [first, second] = [...ranges].sort((a, b) => (a?.from ?? 0) - (b?.from ?? 0));
      expect(second?.from).toBe(first?.to);
      await expect(create(0.4)).rejects.toThrow("exclusion group");
      await storage.updateExperiment(one?.id ?? 0, (stored) => ({
        experiment: changeExperiment(stored, { status: "stopped" }, AT),
        forced: [],
        at: AT,
      }));
      expect((await create(0.4))?.exclusion_group).toEqual(one?.exclusion_group);
    });

    test("include a metric added later, computed from the rows stored before and after", async () => {
      const opened = await openTest({ metrics: [{ metric_name: "buys", kind: "count", event_type: "buy" }] });
      const { storage, test_id, red, enrol, track, cells } = opened;
      await enrol(red, AT, "ann", "bob");
      const buy = (user_id: string, amount: number) => ({
        event_type: "buy",
        user_id,
        session_id: null,
        properties: JSON.stringify({ amount }),
        created_at: AT,
        occurred_at: AT,
        message_key: null,
      });
      await track({ metric_name: "clicks", value: 5 }, { metric_name: "clicks", value: 20 });
      await storage.appendEvents([buy("ann", 3), buy("bob", 4), buy("nobody", 5)]);
      const added = [
        { metric_name: "clicks", cap: 10 },
        { metric_name: "revenue", event_type: "buy", property: "amount" },
        { metric_name: "clicks_per_buy", kind: "ratio", denominator: "buys" },
      ];
      const change = ExperimentChange.parse({ metrics: added });
      await storage.updateExperiment(test_id, (stored) => ({
        experiment: changeExperiment(stored, change, AT),
        forced: [],
        at: AT,
      }));
      await track({ metric_name: "clicks_per_buy", value: 7 }, { user_id: "bob", metric_name: "clicks" });
      await storage.appendEvents([buy("ann", 1)]);
      await vi.waitFor(async () => expect((await cells()).pending_rows).toBe(0), { timeout: 20_000 });
      const { cells: found, raw } = await cells();
      const shown = found[0]?.metrics.map((one) => [
        one.metric_name,
        one.count,
        one.y.high,
        one.denominator?.d.high,
      ]);
      expect(shown?.sort()).toEqual([
        ["buys", 3, 3, undefined],
        ["clicks", 3, 11, undefined],
        ["clicks_per_buy", 1, 7, 3],
        ["revenue", 3, 8, undefined],
      ]);
      expect(raw.map(({ metric_name, count, sum }) => [metric_name, count, sum]).sort()).toEqual([
        ["buys", 3, 3],
        ["clicks", 3, 26],
        ["clicks_per_buy", 1, 7],
        ["revenue", 3, 8],
      ]);
    });

    test("do not exist for an unknown experiment", async () => {
      const { storage, test_id } = await openTest();
      await storage.deleteExperiment(test_id);
      expect(await storage.experimentCells(test_id)).toBeUndefined();
      expect(await storage.dayCells(test_id)).toEqual([]);
    });
  });
}
