import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CountsOnly } from "../../domain/reports/answer.ts";
import type { StoredEvent } from "../../domain/reports/event-list.ts";
import type { TrendQuestion } from "../../domain/reports/trend.ts";
import type { Storage } from "../../domain/storage.ts";
import { DAY, type Instant } from "../../domain/time.ts";
import { getOverview } from "../../handlers/reports/get-overview.ts";
import { getTrend } from "../../handlers/reports/get-trend.ts";
import { listEventTypes } from "../../handlers/reports/list-event-types.ts";
import { listEvents } from "../../handlers/reports/list-events.ts";
import { cases } from "../random.ts";
import { call, colours, openWorld, withColours } from "../world.ts";
import { historyOf, keptCountsStories } from "./event-histories.ts";
import { isKept, type Reopen, untilExpired } from "./expiry-contract.ts";
import { plainTrend } from "./plain-answers.ts";
import { agreeOn, KINDS } from "./question-contract.ts";
import { AT, asked, eventAt } from "./question-stories/asked.ts";

const QUARTER = 15 * 60_000;
const quarterOf = (at: Instant): Instant => Math.floor(at / QUARTER) * QUARTER;

const isCount = ({ measure, where, breakdown }: TrendQuestion): boolean =>
  measure === "count" && where.length === 0 && breakdown === undefined;

/** The question about the number of events in the same buckets, between quarters of an hour. */
const countOf = (question: TrendQuestion): TrendQuestion => ({
  ...question,
  measure: "count",
  where: [],
  breakdown: undefined,
  groups: undefined,
  edges: [...new Set([...question.edges.map(quarterOf), quarterOf(question.edges[0] ?? 0) + DAY])].sort(
    (a, b) => a - b,
  ),
});

interface Stored {
  readonly left: readonly StoredEvent[];
  readonly gone: readonly StoredEvent[];
}

/** The expired events that an answer to a trend names. */
function plainCountsOnly({ gone }: Stored, question: TrendQuestion): CountsOnly | undefined {
  const { edges, event_types } = question;
  const [from = 0, to = 0] = [edges[0], edges.at(-1)];
  const quarters = gone
    .filter(({ event_type }) => event_types.length === 0 || event_types.includes(event_type))
    .map(({ occurred_at }) => quarterOf(occurred_at))
    .filter((start) => start < to && start + QUARTER > from);
  if (quarters.length === 0) return undefined;
  const isCut = (start: Instant): boolean => edges.some((edge) => edge > start && edge < start + QUARTER);
  return {
    before: Math.max(...quarters) + QUARTER,
    isExact: !isCount(question) || !quarters.some(isCut),
  };
}

/** Compares a trend with one over the events that are left, and over the others as of the start of their quarter. */
async function agreeOnTrend(storage: Storage, stored: Stored, question: TrendQuestion): Promise<void> {
  const counted = stored.gone.map((event) => ({ ...event, occurred_at: quarterOf(event.occurred_at) }));
  const events = isCount(question) ? [...stored.left, ...counted] : stored.left;
  expect(await asked.trend(storage, question)).toEqual(plainTrend(events, question));
  const { countsOnly } = await storage.trend(question);
  expect(countsOnly).toEqual(plainCountsOnly(stored, question));
}

const countsByType = (events: readonly { event_type: string }[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { event_type } of events) counts[event_type] = (counts[event_type] ?? 0) + 1;
  return counts;
};

async function agreeOnTypes(storage: Storage, { left, gone }: Stored): Promise<void> {
  const types = await asked.types(storage);
  const shown = (field: "count" | "counts_only") =>
    Object.fromEntries(
      types.flatMap((type) => (type[field] === undefined ? [] : [[type.event_type, type[field]]])),
    );
  expect(shown("count")).toEqual(countsByType([...left, ...gone]));
  expect(shown("counts_only")).toEqual(countsByType(gone));
  expect(types.map(({ count }) => count)).toEqual(types.map(({ count }) => count).sort((a, b) => b - a));
}

const anyHistory = (place: () => Promise<Reopen>) =>
  fc.asyncProperty(keptCountsStories, async ({ events, late, now, erased, keeping, ...questions }) => {
    const open = await place();
    const reopen = () => open({ keeping: { ...keeping, counts: true }, now: () => now });
    const counts = questions.trends.map(countOf);
    let storage = await open();
    const history = historyOf({ ...storage, appendEvents: (batch) => storage.appendEvents(batch) });
    await history.append(events);
    await storage.close();
    const gone: StoredEvent[] = [];
    const isExpired = (event: StoredEvent): boolean =>
      !isKept(keeping, now, event.event_type, event.occurred_at);
    /** Lets everything expire, and compares the counts at each step with those of all events. */
    async function expire(): Promise<void> {
      const all = [...history.events, ...gone];
      const expected = counts.map((question) => plainTrend(all, question));
      await untilExpired(storage, async () => {
        for (const [index, question] of counts.entries())
          expect(await asked.trend(storage, question)).toEqual(expected[index]);
      });
      gone.push(...history.events.filter(isExpired));
      history.keep((event) => !isExpired(event));
    }
    async function agree(): Promise<void> {
      const stored = { left: history.events, gone };
      for (const question of [...questions.trends, ...counts]) await agreeOnTrend(storage, stored, question);
      await agreeOnTypes(storage, stored);
      await agreeOn(KINDS.funnel, questions.funnels, storage, history);
    }
    storage = await reopen();
    try {
      await expire();
      await agree();
      await storage.eraseUser({ user_id: erased, receipt: "receipt", requested_at: AT });
      history.erase(erased);
      await agree();
      await history.append(late);
      await agree();
      await storage.close();
      storage = await reopen();
      await expire();
      await agree();
    } finally {
      await storage.close();
    }
  });

const allEvents: TrendQuestion = {
  event_types: [],
  measure: "count",
  edges: [AT - DAY, AT + 30 * DAY],
  where: [],
  limit: 1,
};

/** The contract of every engine: with ANALYTICS_KEEP_COUNTS, events that are removed leave their number. */
export function keptCountsContract(name: string, place: () => Promise<Reopen>, { runs = 30 } = {}): void {
  const now = () => AT + 9 * DAY;
  const keeping = { days: 1, byType: {}, counts: true };
  const total = async (storage: Storage): Promise<number> =>
    (await storage.trend(allEvents)).value[0]?.total ?? 0;

  describe(`${name}: counts of expired events`, () => {
    test("of any history, trends of all events and the catalogue count removed events at every moment", () =>
      fc.assert(anyHistory(place), { numRuns: cases(runs) }));

    test("events of a user who is being erased are not counted when they expire meanwhile", async () => {
      const open = await place();
      const before = await open();
      const own = Array.from({ length: 600 }, (_, n) => eventAt(n * 7, "view", { user_id: "ann" }));
      const others = Array.from({ length: 600 }, (_, n) => eventAt(n * 7, "view", { user_id: "bob" }));
      await before.appendEvents([...own, ...others]);
      await before.close();
      const storage = await open({ keeping, now });
      let isErased = false;
      const erasing = storage
        .eraseUser({ user_id: "ann", receipt: "receipt", requested_at: AT })
        .finally(() => {
          isErased = true;
        });
      const totals: number[] = [];
      while (!isErased) {
        totals.push(await total(storage));
        await nextTurn();
      }
      const erased = (await erasing)?.erased.events ?? 0;
      await untilExpired(storage);
      totals.push(await total(storage));
      expect(totals).toEqual([...totals].sort((a, b) => b - a));
      // Events of hers that had expired before the erasure began have left their number.
      expect(totals.at(-1)).toBeLessThanOrEqual(1_200 - erased);
      expect(totals.at(-1)).toBeGreaterThanOrEqual(600);
      await storage.close();
    });

    test("reports say before which time there are counts only, and whether these fit the range", async () => {
      const open = await place();
      const before = await open();
      await before.appendEvents([
        eventAt(0, "view"),
        eventAt(20, "view"),
        eventAt(40, "buy"),
        eventAt(12 * 24 * 60, "view"),
      ]);
      await before.close();
      const storage = await open({ keeping, now });
      await untilExpired(storage);
      const world = openWorld({ storage, now: () => AT + 13 * DAY });
      const trend = async (query: object) => {
        const asking = { from: "2026-11-22", to: "2026-11-23", verify: "1", ...query };
        const { body } = await call(getTrend, world, { query: asking });
        const { exact, counts_only_before, verification } = body.meta;
        const totals = body.series.map((series) => [series.total, series.previous?.total]);
        return { totals, exact, counts_only_before, isVerified: verification?.ok };
      };
      const all = { exact: true, counts_only_before: "2026-11-22T10:45:00.000Z", isVerified: true };
      const views = { ...all, counts_only_before: "2026-11-22T10:30:00.000Z" };
      expect(await trend({})).toEqual({ ...all, totals: [[3, undefined]] });
      expect(await trend({ timezone: "Asia/Kathmandu" })).toEqual({ ...all, totals: [[3, undefined]] });
      expect(await trend({ event_type: "view" })).toEqual({ ...views, totals: [[2, undefined]] });
      expect(await trend({ measure: "users" })).toEqual({ ...all, totals: [[0, undefined]] });
      expect(await trend({ breakdown: "plan" })).toEqual({ ...all, totals: [] });
      // A count does not tell whose event it was.
      await withColours(world, { users: { ann: "red" } });
      const ofVariant = { experiment: { [colours.test_name]: "red" } };
      expect(await trend(ofVariant)).toEqual({ ...all, totals: [[0, undefined]] });
      const compared = { from: "2026-11-24", to: "2026-11-25", compare: "previous" };
      expect(await trend(compared)).toEqual({ ...all, totals: [[0, 3]] });
      const cut = await trend({ to: "2026-11-22T10:25:00Z" });
      expect(cut).toEqual({ ...views, exact: false, totals: [[2, undefined]] });
      const later = await trend({ from: "2026-11-24", to: "2026-12-05" });
      expect(later).toEqual({ ...all, counts_only_before: undefined, totals: [[1, undefined]] });
      await storage.close();
    });

    test("the last page of a list says what it lacks", async () => {
      const open = await place();
      const before = await open();
      const days = [0, 12, 12];
      await before.appendEvents(days.map((day, n) => eventAt(day * 24 * 60 + n, n === 1 ? "buy" : "view")));
      await before.close();
      const storage = await open({ keeping, now });
      await untilExpired(storage);
      const world = openWorld({ storage, now: () => AT + 13 * DAY });
      const listed = async (query: object) => {
        const { events, next_cursor, meta } = (await call(listEvents, world, { query })).body;
        return [events.length, next_cursor !== null, meta.counts_only_before];
      };
      const expired = "2026-11-22T10:15:00.000Z";
      expect(await listed({ limit: "1" })).toEqual([1, true, undefined]);
      expect(await listed({ limit: "2" })).toEqual([2, false, expired]);
      expect(await listed({ event_type: "view" })).toEqual([1, false, expired]);
      expect(await listed({ event_type: "buy" })).toEqual([1, false, undefined]);
      expect(await listed({ from: "2026-11-23" })).toEqual([2, false, undefined]);
      await storage.close();
    });

    test("the catalogue and the overview count removed events, and say so", async () => {
      const open = await place();
      const before = await open();
      await before.appendEvents([eventAt(0, "view"), eventAt(40, "buy"), eventAt(12 * 24 * 60, "view")]);
      await before.close();
      const storage = await open({ keeping, now });
      await untilExpired(storage);
      const world = openWorld({ storage, now: () => AT + 13 * DAY });
      const said = { exact: true, counts_only_before: "2026-11-22T10:45:00.000Z" };
      const catalogue = (await call(listEventTypes, world, { query: { verify: "1" } })).body;
      expect(catalogue.meta).toMatchObject({ ...said, verification: { ok: true } });
      const without = { properties: [], total_properties: 0, may_have_more_properties: false };
      const seenAt = (time: string) => ({ first_seen: time, last_seen: time });
      expect(catalogue.types).toEqual([
        { event_type: "view", count: 2, counts_only: 1, ...seenAt("2026-12-04T10:00:00.000Z"), ...without },
        { event_type: "buy", count: 1, counts_only: 1, ...seenAt("2026-11-22T00:00:00.000Z"), ...without },
      ]);
      const overview = (await call(getOverview, world, { query: { from: "2026-11-22" } })).body;
      expect([overview.events.total, overview.users.total]).toEqual([3, 1]);
      expect(overview.meta).toMatchObject(said);
      await storage.close();
    });

    test("without the setting counts go with the events, and those that are kept already stay", async () => {
      const open = await place();
      const before = await open();
      await before.appendEvents([eventAt(0, "view"), eventAt(1, "buy")]);
      await before.close();
      const counting = await open({ keeping, now });
      await untilExpired(counting);
      expect(await total(counting)).toBe(2);
      await counting.appendEvents([eventAt(2, "view")]);
      await counting.close();
      const storage = await open({ keeping: { days: 1, byType: {} }, now });
      await untilExpired(storage);
      expect(await total(storage)).toBe(2);
      await storage.close();
    });

    test("counts of very long types of other programs are kept under a digest", async () => {
      const open = await place();
      const before = await open();
      const long = "type ".repeat(2_000);
      await before.appendEvents([eventAt(0, long), eventAt(1, "view")]);
      await before.close();
      const storage = await open({ keeping, now });
      await untilExpired(storage);
      const answer = await storage.trend({ ...allEvents, event_types: [long, "view"] });
      expect(answer.value.map((series) => series.total)).toEqual([1, 1]);
      await storage.close();
    });
  });
}
