import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventPage, StoredEvent } from "../../domain/reports/event-list.ts";
import type { TrendQuestion } from "../../domain/reports/trend.ts";
import type { Fact, FactsQuestion } from "../../domain/reports/user-facts.ts";
import type { Storage } from "../../domain/storage.ts";
import { HOUR } from "../../domain/time.ts";
import { cases } from "../random.ts";
import {
  factsQuestion,
  funnelQuestion,
  historyOf,
  LARGE_AT,
  largeHistory,
  listQuestion,
  retentionQuestion,
  type Story,
  storyOf,
  trendQuestion,
} from "./event-histories.ts";
import { memberContract } from "./member-contract.ts";
import {
  plainFacts,
  plainFunnel,
  plainList,
  plainRetention,
  plainTrend,
  plainTypes,
} from "./plain-answers.ts";
import { AT, asked, eventAt, type Store, storeBy } from "./question-stories/asked.ts";
import { funnelStories } from "./question-stories/funnel.ts";
import { listStories } from "./question-stories/list.ts";
import { manyNamesStories } from "./question-stories/many-names.ts";
import { retentionStories } from "./question-stories/retention.ts";
import { trendStories } from "./question-stories/trend.ts";

type Open = () => Promise<Storage>;

type History = ReturnType<typeof historyOf>;

/** A kind of question: how to ask it, and how to answer it from the plain list of all events. */
interface Kind<Question> {
  ask(storage: Storage, question: Question): Promise<unknown>;
  plain(history: History, question: Question): unknown;
}

/** The events with the id of each person instead of any id that is linked to it. */
const ofPeople = ({ events, personOf }: History): StoredEvent[] =>
  events.map((event) => ({ ...event, user_id: event.user_id === null ? null : personOf(event.user_id) }));

const plainly =
  <Question>(answer: (events: readonly StoredEvent[], question: Question) => unknown) =>
  (history: History, question: Question): unknown =>
    answer(ofPeople(history), question);

/** The events of a list keep the ids that they were stored with. */
function plainListOf(history: History, page: EventPage): StoredEvent[] {
  const user_id = page.user_id === undefined ? undefined : history.personOf(page.user_id);
  const listed = plainList(ofPeople(history), { ...page, user_id });
  return listed.flatMap(({ id }) => history.events.find((event) => event.id === id) ?? []);
}

function plainFactsOf(history: History, question: FactsQuestion): Fact[] {
  const users = question.users.map((user) => ({ ...user, user_id: history.personOf(user.user_id) }));
  return plainFacts(ofPeople(history), { ...question, users });
}

export const KINDS = {
  trend: { ask: asked.trend, plain: plainly(plainTrend) },
  funnel: { ask: asked.funnel, plain: plainly(plainFunnel) },
  retention: { ask: asked.retention, plain: plainly(plainRetention) },
  list: { ask: asked.list, plain: plainListOf },
  facts: { ask: asked.facts, plain: plainFactsOf },
  types: { ask: asked.types, plain: plainly(plainTypes) },
};

export async function agreeOn<Question>(
  { ask, plain }: Kind<Question>,
  questions: readonly Question[],
  storage: Storage,
  history: History,
): Promise<void> {
  for (const question of questions) expect(await ask(storage, question)).toEqual(plain(history, question));
}

/** Appends each history batch by batch, and compares the answers after every batch and its links. */
const agreeOnAny = <Question>(kind: Kind<Question>, stories: fc.Arbitrary<Story<Question>>, open: Open) =>
  fc.asyncProperty(stories, async ({ batches, questions }) => {
    const storage = await open();
    const history = historyOf(storage);
    try {
      for (const { events, claims } of batches) {
        await history.append(events);
        await agreeOn(kind, questions, storage, history);
        for (const claim of claims) {
          const { stored, plain } = await history.link(claim);
          expect(stored).toBe(plain);
        }
        if (claims.length > 0) await agreeOn(kind, questions, storage, history);
      }
    } finally {
      await storage.close();
    }
  });

function anyHistory(open: Open, numRuns: number): void {
  const holds = <Question>(kind: Kind<Question>, stories: fc.Arbitrary<Story<Question>>) =>
    fc.assert(agreeOnAny(kind, stories, open), { numRuns: cases(numRuns) });
  const typesStory = storyOf(() => fc.constant(undefined));

  describe("for any history in any order", () => {
    test("trends equal the reference implementation", () => holds(KINDS.trend, storyOf(trendQuestion)));
    test("funnels equal the reference implementation", () => holds(KINDS.funnel, storyOf(funnelQuestion)));
    test("retention equals the reference implementation", () =>
      holds(KINDS.retention, storyOf(retentionQuestion)));
    test("lists equal the reference implementation", () => holds(KINDS.list, storyOf(listQuestion)));
    test("facts about users equal the reference implementation", () =>
      holds(KINDS.facts, storyOf(factsQuestion)));
    test("event types equal the reference implementation", () => holds(KINDS.types, typesStory));
  });
}

const sample = <T>(questions: fc.Arbitrary<T>, numRuns: number): T[] =>
  fc.sample(questions, { seed: 20, numRuns });

/** Trends by properties with few values, and with more values than a rollup keeps. */
const byProperty = ["plan", "a.b"].flatMap((breakdown): TrendQuestion[] => {
  const edges = [LARGE_AT.around, LARGE_AT.around + 20 * 60_000, LARGE_AT.around + HOUR];
  const all: TrendQuestion = { event_types: ["view"], measure: "count", edges, where: [], limit: 100 };
  const where = [{ property: breakdown, values: ["pro", 5] }];
  return [
    { ...all, breakdown },
    { ...all, breakdown, measure: "users" },
    { ...all, where },
    { ...all, where: [{ property: breakdown, operator: "not", operand: ["pro", 5] }] },
    { ...all, where: [{ property: breakdown, operator: "not_set" }] },
  ];
});

/** Questions about all users of a history at once. */
const manyFacts = (events: readonly StoredEvent[]): FactsQuestion[] => {
  const ids = [...new Set(events.flatMap(({ user_id }) => user_id ?? []))];
  const users = ids.map((user_id, index) => ({
    user_id,
    from: LARGE_AT.around,
    to: LARGE_AT.around + index * 1_000,
  }));
  return [
    { kind: "total", event_type: "view", property: null, users },
    { kind: "last_value", property: "plan", users },
  ];
};

function manyEvents(store: Store): void {
  test("answers are correct for thousands of events, users and property values within an hour", async () => {
    const storage = await store();
    const history = historyOf(storage);
    const all = largeHistory();
    for (const [turn, batch] of all.entries()) {
      await history.append(batch);
      if (turn !== 1 && turn !== all.length - 1) continue;
      await agreeOn(KINDS.types, [undefined], storage, history);
      await agreeOn(KINDS.trend, [...byProperty, ...sample(trendQuestion(LARGE_AT), 12)], storage, history);
      await agreeOn(KINDS.retention, sample(retentionQuestion(LARGE_AT), 8), storage, history);
      await agreeOn(KINDS.funnel, sample(funnelQuestion(LARGE_AT), 6), storage, history);
      await agreeOn(KINDS.list, sample(listQuestion(LARGE_AT), 8), storage, history);
      await agreeOn(KINDS.facts, manyFacts(history.events), storage, history);
    }
    expect(history.events).toHaveLength(6_400);
  });
}

function busyStorage(store: Store): void {
  test("an answer during a write contains all events stored before it", async () => {
    const storage = await store();
    const batch = Array.from({ length: 40 }, (_, n) => eventAt(n, "view", { user_id: `user ${n % 7}` }));
    const question: TrendQuestion = {
      event_types: [],
      measure: "count",
      edges: [AT, AT + HOUR],
      where: [],
      limit: 1,
    };
    for (let turn = 0; turn < 10; turn += 1) {
      const appending = storage.appendEvents(batch);
      const { value, recomputed } = await storage.trend(question, { verify: true });
      const total = value[0]?.total ?? 0;
      expect(total >= turn * batch.length && total <= (turn + 1) * batch.length).toBe(true);
      expect(recomputed).toEqual(value);
      await appending;
    }
    expect((await storage.trend(question)).value[0]?.total).toBe(10 * batch.length);
  });
}

function abortedQuestions(store: Store): void {
  test("an aborted question is rejected", async () => {
    const storage = await store(eventAt(0, "view"));
    const gone = AbortSignal.abort();
    const range = { from: AT, to: AT + 1 };
    const where = [{ property: "plan", values: ["pro"] }];
    const page: EventPage = { ...range, event_types: [], where, limit: 1 };
    const steps = ["view", "cart"].map((event_type) => ({ event_type, where }));
    const answers = await Promise.allSettled([
      storage.listEvents(page, { gone }),
      storage.funnel({ ...range, steps, order: "ordered", window_ms: 1, limit: 1 }, { gone }),
      storage.trend({ event_types: [], measure: "users", edges: [AT, AT + 1], where, limit: 1 }, { gone }),
    ]);
    const refused = { status: "rejected", reason: { code: "unavailable" } };
    expect(answers).toMatchObject([refused, refused, refused]);
  });
}

/** The contract of every engine: any answer equals the one computed from the plain list of all events. */
export function questionContract(name: string, open: Open, { runs = 60, large = true } = {}): void {
  const store = storeBy(open);
  describe(name, () => {
    trendStories(store);
    manyNamesStories(store);
    funnelStories(store);
    retentionStories(store);
    listStories(store);
    abortedQuestions(store);
    anyHistory(open, runs);
    memberContract(open, runs);
    busyStorage(store);
    if (large) manyEvents(store);
  });
}
