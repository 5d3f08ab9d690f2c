import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { NewEvent } from "../../domain/events/event.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import type { Cell, ExperimentCells, MetricSums } from "../../domain/experiments/cells.ts";
import { type Experiment, ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import { changeExperiment, ExperimentChange } from "../../domain/experiments/lifecycle.ts";
import type { NewMetric } from "../../domain/experiments/metric.ts";
import type { TrendQuestion } from "../../domain/reports/trend.ts";
import type { Storage } from "../../domain/storage.ts";
import { DAY, HOUR } from "../../domain/time.ts";
import { cases } from "../random.ts";
import { erasureStories, historyOf, LARGE_AT, largeHistory } from "./event-histories.ts";
import { agreeOn, KINDS } from "./question-contract.ts";
import { AT, asked, eventAt } from "./question-stories/asked.ts";

type Open = () => Promise<Storage>;

let receipts = 0;
/** Erases a user under a new receipt. */
function erase(storage: Storage, user_id: string) {
  receipts += 1;
  return storage.eraseUser({ user_id, receipt: `receipt ${receipts}`, requested_at: AT });
}

// --- Reports

const anyErasure = (open: Open) =>
  fc.asyncProperty(erasureStories, async ({ turns, trends, funnels, retentions, lists }) => {
    const storage = await open();
    const history = historyOf(storage);
    try {
      for (const { batch, claims, erased } of turns) {
        await history.append(batch);
        for (const claim of claims) await history.link(claim);
        const erasure = await erase(storage, erased);
        const { events = 0, links = 0 } = erasure?.erased ?? {};
        expect({ events, links }).toEqual(history.erase(erased));
        await agreeOn(KINDS.trend, trends, storage, history);
        await agreeOn(KINDS.funnel, funnels, storage, history);
        await agreeOn(KINDS.retention, retentions, storage, history);
        await agreeOn(KINDS.list, lists, storage, history);
        await agreeOn(KINDS.types, [undefined], storage, history);
      }
    } finally {
      await storage.close();
    }
  });

// --- Experiments

const USERS = ["ann", "bob", "cyd"];
const METRICS = [
  { metric_name: "signup", kind: "conversion" },
  { metric_name: "clicks", kind: "count" },
  { metric_name: "revenue", kind: "mean", covariate: { attribute: "before" } },
  { metric_name: "capped", kind: "mean", cap: 10 },
  { metric_name: "early", kind: "mean", window_days: 1 },
  { metric_name: "per_click", kind: "ratio", denominator: "clicks" },
  { metric_name: "bought", kind: "mean", event_type: "buy", property: "amount" },
];
const TRACKED = ["signup", "clicks", "revenue", "capped", "early", "per_click", "undeclared"];

type Act =
  | {
      readonly kind: "assign";
      readonly user: string;
      readonly variant: number;
      readonly at: number;
      readonly before: number;
    }
  | {
      readonly kind: "value";
      readonly user: string;
      readonly metric: string;
      readonly value: number;
      readonly at: number;
    }
  | { readonly kind: "buy"; readonly user: string; readonly amount: number | string; readonly at: number }
  | { readonly kind: "weigh"; readonly red: number; readonly at: number }
  | { readonly kind: "erase"; readonly user: string };

const user = fc.constantFrom(...USERS);
const at = fc.integer({ min: -2 * DAY, max: 4 * DAY }).map((ms) => AT + ms);
// Quarters are exact as decimals and as doubles.
const quarters = fc.integer({ min: -400, max: 400 }).map((n) => n / 4);
const assign: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant("assign"),
  user,
  variant: fc.nat({ max: 1 }),
  at,
  before: quarters,
});
const track: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant("value"),
  user,
  metric: fc.constantFrom(...TRACKED),
  value: quarters,
  at,
});
const buy: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant("buy"),
  user,
  amount: fc.oneof(quarters, fc.constant("much")),
  at,
});
const weigh: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant("weigh"),
  red: fc.integer({ min: 1, max: 3 }),
  at,
});
const acts = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: assign },
    { weight: 8, arbitrary: track },
    { weight: 3, arbitrary: buy },
    { weight: 1, arbitrary: weigh },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("erase"), user }) as fc.Arbitrary<Act> },
  ),
  { minLength: 1, maxLength: 30 },
);

const trackedValue = (changes: Partial<NewMetric>): NewMetric => ({
  user_id: "ann",
  metric_name: "revenue",
  value: 1,
  created_at: AT,
  occurred_at: AT,
  message_key: null,
  ...changes,
});

async function experimentIn(storage: Storage): Promise<Experiment> {
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  const input = ExperimentInput.parse({ test_name: "colours", variants, metrics: METRICS });
  const experiment = await storage.createExperiment(newExperiment(input, "salt", AT));
  if (experiment === undefined) throw new Error("The name is taken.");
  return experiment;
}

async function carryOut(storage: Storage, { id, variants }: Experiment, act: Act): Promise<void> {
  if (act.kind === "assign") {
    const variant_id = variants[act.variant]?.id ?? 0;
    const candidate = {
      user_id: act.user,
      variant_id,
      assigned_at: act.at,
      attributes: { before: act.before },
    };
    await storage.assign(id, [candidate]);
  } else if (act.kind === "value") {
    const { user: user_id, metric: metric_name, value, at: occurred_at } = act;
    await storage.appendMetrics(id, [trackedValue({ user_id, metric_name, value, occurred_at })]);
  } else if (act.kind === "buy") {
    const properties = JSON.stringify({ amount: act.amount });
    const own: NewEvent = { ...eventAt(0, "buy"), user_id: act.user, properties, occurred_at: act.at };
    await storage.appendEvents([own]);
  } else if (act.kind === "weigh") {
    await storage.updateExperiment(id, (stored) => ({
      experiment: changeExperiment(stored, { weights: { red: act.red, blue: 1 } }, act.at),
      forced: [],
      at: act.at,
    }));
  } else await erase(storage, act.user);
}

/** The acts of users before they were erased never happened. */
const surviving = (all: readonly Act[]): Act[] =>
  all.filter(
    (act, index) =>
      act.kind !== "erase" &&
      (act.kind === "weigh" ||
        !all.slice(index).some((later) => later.kind === "erase" && later.user === act.user)),
  );

const highOf = (_key: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && "high" in value ? value.high : value;
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value, highOf));

const byText = <T>(rows: readonly T[], textOf: (row: T) => string): T[] =>
  [...rows].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));

const hasSums = (sums: MetricSums): boolean =>
  /[1-9]/.test(JSON.stringify({ ...sums, metric_name: "" }, highOf));

/** Cells in one order. One without users, and a metric without sums, may be there or not. */
const shownCells = <T extends Cell>(cells: readonly T[]): T[] =>
  byText(
    cells
      .map((cell) => ({
        ...cell,
        metrics: byText(cell.metrics.filter(hasSums), ({ metric_name }) => metric_name),
      }))
      .filter(({ users, metrics }) => users > 0 || metrics.length > 0)
      .map(plain),
    (cell) => JSON.stringify(cell),
  );

async function figuresOf(storage: Storage, { id }: Experiment) {
  const cells = (await storage.experimentCells(id)) as ExperimentCells;
  const observations = await Promise.all(
    METRICS.map(({ metric_name }) => storage.userObservations(id, metric_name, { after: null, limit: 10 })),
  );
  return {
    periods: cells.periods,
    cells: shownCells(cells.cells),
    raw: byText(plain(cells.raw), ({ variant_id, metric_name }) => `${variant_id} ${metric_name}`),
    days: shownCells(await storage.dayCells(id)),
    observations: plain(observations),
  };
}

const anyMembers = (open: Open) =>
  fc.asyncProperty(acts, async (all) => {
    const [erased, without] = [await open(), await open()];
    try {
      const [one, other] = [await experimentIn(erased), await experimentIn(without)];
      for (const act of all) await carryOut(erased, one, act);
      for (const act of surviving(all)) await carryOut(without, other, act);
      expect(await figuresOf(erased, one)).toEqual(await figuresOf(without, other));
    } finally {
      await erased.close();
      await without.close();
    }
  });

// --- The contract of every engine

export function erasureContract(name: string, open: Open, { runs = 40 } = {}): void {
  async function store(...events: NewEvent[]): Promise<Storage> {
    const storage = await open();
    onTestFinished(() => storage.close());
    if (events.length > 0) await storage.appendEvents(events);
    return storage;
  }

  describe(`${name}: erasing users`, () => {
    test("after any history every report equals the recomputation over what is left", () =>
      fc.assert(anyErasure(open), { numRuns: cases(runs) }));

    test("results equal those of an experiment in which the user never was", () =>
      fc.assert(anyMembers(open), { numRuns: cases(runs) }));

    test("a covariate that was declared after the first values is given back as well", async () => {
      const figures = async (users: readonly string[], erased?: string) => {
        const storage = await store();
        const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
        const input = ExperimentInput.parse({ test_name: "colours", variants });
        const experiment = await storage.createExperiment(newExperiment(input, "salt", AT));
        const { id = 0, variants: stored = [] } = experiment ?? {};
        const values = (day: number) =>
          storage.appendMetrics(
            id,
            users.map((user_id) =>
              trackedValue({ user_id, metric_name: "late", value: day + 2, occurred_at: AT + day * DAY }),
            ),
          );
        await storage.assign(
          id,
          users.map((user_id, n) => ({
            user_id,
            variant_id: stored[0]?.id ?? 0,
            assigned_at: AT,
            attributes: { before: n + 3 },
          })),
        );
        for (const day of [0, 1]) await values(day);
        const late = { metric_name: "late", kind: "mean", covariate: { attribute: "before" } };
        const change = ExperimentChange.parse({ metrics: [late] });
        await storage.updateExperiment(id, (known) => ({
          experiment: changeExperiment(known, change, AT),
          forced: [],
          at: AT,
        }));
        await expect.poll(async () => (await storage.experimentCells(id))?.pending_rows).toBe(0);
        for (const day of [2, 3]) await values(day);
        if (erased !== undefined) await erase(storage, erased);
        return experiment && figuresOf(storage, experiment);
      };
      // The covariate is the place in the list, so the one who is erased comes last.
      expect(await figures(["bob", "ann"], "ann")).toEqual(await figures(["bob"]));
    });

    test("thousands of events within an hour lose those of one user", async () => {
      const storage = await store();
      const history = historyOf(storage);
      for (const batch of largeHistory()) await history.append(batch);
      for (const userId of ["visitor 0", "visitor 17", "regular 3"]) {
        await erase(storage, userId);
        history.erase(userId);
      }
      const edges = [LARGE_AT.around, LARGE_AT.around + 20 * 60_000, LARGE_AT.around + HOUR];
      const trend: TrendQuestion = { event_types: [], measure: "users", edges, where: [], limit: 5 };
      await agreeOn(KINDS.trend, [trend, { ...trend, measure: "count", breakdown: "a.b" }], storage, history);
      await agreeOn(KINDS.types, [undefined], storage, history);
    });

    test("a user of whom nothing is stored leaves no receipt", async () => {
      const storage = await store(eventAt(0, "view"));
      expect(await erase(storage, "bob")).toBe(undefined);
      expect(await storage.listErasures({ limit: 5 })).toEqual([]);
    });

    test("the receipt counts what was removed, and is listed without the user's id", async () => {
      const storage = await store(
        eventAt(0, "view"),
        eventAt(1, "buy"),
        eventAt(2, "view", { user_id: "bob" }),
      );
      const { id, variants } = await experimentIn(storage);
      await storage.assign(id, [{ user_id: "ann", variant_id: variants[0]?.id ?? 0, assigned_at: AT }]);
      await storage.appendMetrics(id, [trackedValue({}), trackedValue({ metric_name: "clicks" })]);
      const erasure = await erase(storage, "ann");
      expect(erasure?.erased).toEqual({ events: 2, assignments: 1, metric_values: 2, links: 0 });
      expect(await storage.listErasures({ limit: 5 })).toEqual([erasure]);
      expect(await storage.findAssignment(id, "ann")).toBe(undefined);
    });

    test("receipts are listed newest first, page by page", async () => {
      const storage = await store(...["ann", "bob", "cyd"].map((user_id) => eventAt(0, "view", { user_id })));
      for (const userId of ["ann", "bob", "cyd"]) await erase(storage, userId);
      const all = await storage.listErasures({ limit: 5 });
      const [first, ...rest] = all;
      expect(all).toHaveLength(3);
      expect(await storage.listErasures({ limit: 1 })).toEqual([first]);
      expect(await storage.listErasures({ limit: 5, before: first })).toEqual(rest);
    });

    test("a late retry of an erased event or value stores nothing and answers the id of the first time", async () => {
      const event = eventAt(0, "view", { message_key: messageKey("event") });
      const storage = await store();
      const [first] = await storage.appendEvents([event]);
      const { id, variants } = await experimentIn(storage);
      const candidate = { user_id: "ann", variant_id: variants[0]?.id ?? 0, assigned_at: AT };
      await storage.assign(id, [candidate]);
      const value = trackedValue({ message_key: messageKey("value") });
      const [kept] = await storage.appendMetrics(id, [value]);
      await erase(storage, "ann");
      await storage.assign(id, [candidate]);
      expect(await storage.appendEvents([event])).toEqual([{ ...first, duplicate: true }]);
      expect(await storage.appendMetrics(id, [value])).toEqual([{ ...kept, duplicate: true }]);
      expect(await asked.types(storage)).toEqual([]);
    });

    test("two requests to erase one user at once answer the same receipt", async () => {
      const storage = await store(eventAt(0, "view"));
      const [one, other] = await Promise.all([erase(storage, "ann"), erase(storage, "ann")]);
      expect(one?.receipt).toBeDefined();
      expect(other).toEqual(one);
    });

    test("a user who comes back after the erasure is a new user", async () => {
      const storage = await store(eventAt(0, "view"));
      await erase(storage, "ann");
      await storage.appendEvents([eventAt(5, "view")]);
      const question = {
        event_types: [],
        edges: [AT, AT + HOUR],
        where: [],
        limit: 1,
        measure: "users",
      } as const;
      expect((await asked.trend(storage, question))[0]?.total).toBe(1);
      expect((await asked.types(storage))[0]).toMatchObject({ count: 1, first_seen: AT + 5 * 60_000 });
    });
  });
}
