import type { Database } from "better-sqlite3";
import { type Answered, type Asking, nobodyWaits, tooLong } from "../../../domain/reports/answer.ts";
import type { TypeSummary } from "../../../domain/reports/catalogue.ts";
import type { EventPage, StoredEvent } from "../../../domain/reports/event-list.ts";
import type { FunnelCount, FunnelQuestion } from "../../../domain/reports/funnel.ts";
import type { CohortCount, RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import type { Fact, FactsQuestion } from "../../../domain/reports/user-facts.ts";
import type { EventQuestions } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Erasures } from "../../background/erasures.ts";
import {
  answered,
  type Terms,
  type Ways,
  waysToFacts,
  waysToFunnel,
  waysToList,
  waysToRetention,
  waysToTrend,
  waysToTypes,
} from "../../rollups/questions/answers.ts";
import type { Snapshot } from "../../rollups/questions/snapshot.ts";
import { runNow } from "../../rollups/work.ts";
import { createAssignmentSource } from "../experiments/assignment-source.ts";
import { reading } from "../failures.ts";
import { createLinkSource } from "../people/links.ts";
import { createEventSource } from "./event-source.ts";
import { createKeptStore } from "./kept-counts.ts";
import type { RollupBuild } from "./rollup-build.ts";
import { createRollupStore, createStateReader, isCurrent } from "./rollup-store.ts";

/** How long an answer may take. */
export interface TimeLimit {
  readonly deadline: Instant;
  readonly limitMs: number;
  /** What to ask instead of what takes longer. */
  readonly instead: string | undefined;
}

/** The limit, and how the asker says that they have gone. */
export interface Limits extends TimeLimit {
  readonly signal: AbortSignal | undefined;
}

/** A check of the limits, cheap enough for every few hundred rows. */
export type Check = () => void;

export const checkOf =
  ({ deadline, limitMs, instead }: TimeLimit, isGone: () => boolean): Check =>
  () => {
    if (isGone()) throw nobodyWaits();
    if (Date.now() > deadline) throw tooLong(limitMs, instead);
  };

/** The questions, answered on one connection, each as of one moment. */
export interface Answers {
  listEvents(page: EventPage, terms: Terms, check: Check): readonly StoredEvent[];
  eventTypes(terms: Terms, check: Check): Answered<readonly TypeSummary[]>;
  trend(question: TrendQuestion, terms: Terms, check: Check): Answered<readonly TrendSeries[]>;
  funnel(question: FunnelQuestion, terms: Terms, check: Check): Answered<FunnelCount>;
  retention(question: RetentionQuestion, terms: Terms, check: Check): Answered<readonly CohortCount[]>;
  userFacts(question: FactsQuestion, terms: Terms, check: Check): readonly Fact[];
}

const ALL_IDS = Number.MAX_SAFE_INTEGER;

export function createAnswers(db: Database): Answers {
  let upTo = ALL_IDS;
  const store = createRollupStore(db);
  const source = createEventSource(db, () => upTo);
  const links = createLinkSource(db);
  const kept = createKeptStore(db);
  const assignments = createAssignmentSource(db);
  const readState = createStateReader(db);
  const isErasing = db.prepare("select 1 from erasing limit 1");

  /** An answer from events is as of the rollups, so that the two can be compared. */
  function atOneMoment<T>(terms: Terms, check: Check, waysTo: (snapshot: Snapshot) => Ways<T>): Answered<T> {
    // The question may have waited in a queue for longer than it may take.
    check();
    return db.transaction(() => {
      const state = readState();
      const stale = terms.stale || !isCurrent(state) || isErasing.get() !== undefined;
      upTo = stale ? ALL_IDS : state.through;
      const ways = waysTo({ store, source, links, assignments, kept, users: state.users });
      return runNow(answered({ verify: terms.verify, stale }, ways), check);
    })();
  }

  return {
    listEvents: (page, terms, check) =>
      atOneMoment({ ...terms, verify: false }, check, (snapshot) => waysToList(snapshot, page)).value,
    eventTypes: (terms, check) => atOneMoment(terms, check, waysToTypes),
    trend: (question, terms, check) =>
      atOneMoment(terms, check, (snapshot) => waysToTrend(snapshot, question)),
    funnel: (question, terms, check) =>
      atOneMoment(terms, check, (snapshot) => waysToFunnel(snapshot, question)),
    retention: (question, terms, check) =>
      atOneMoment(terms, check, (snapshot) => waysToRetention(snapshot, question)),
    userFacts: (question, terms, check) =>
      atOneMoment({ ...terms, verify: false }, check, (snapshot) => waysToFacts(snapshot, question)).value,
  };
}

/** The same questions, on this connection or on threads. */
export interface Answerer {
  listEvents(page: EventPage, terms: Terms, limits: Limits): Promise<readonly StoredEvent[]>;
  eventTypes(terms: Terms, limits: Limits): Promise<Answered<readonly TypeSummary[]>>;
  trend(question: TrendQuestion, terms: Terms, limits: Limits): Promise<Answered<readonly TrendSeries[]>>;
  funnel(question: FunnelQuestion, terms: Terms, limits: Limits): Promise<Answered<FunnelCount>>;
  retention(
    question: RetentionQuestion,
    terms: Terms,
    limits: Limits,
  ): Promise<Answered<readonly CohortCount[]>>;
  userFacts(question: FactsQuestion, terms: Terms, limits: Limits): Promise<readonly Fact[]>;
}

/** Answers on this connection, which holds up everything else of the process meanwhile. */
export function answerHere(db: Database): Answerer {
  const answers = createAnswers(db);
  const within = <T>(limits: Limits, answer: (check: Check) => T): Promise<T> =>
    reading(() => answer(checkOf(limits, () => limits.signal?.aborted ?? false)));
  return {
    listEvents: (page, terms, limits) => within(limits, (check) => answers.listEvents(page, terms, check)),
    eventTypes: (terms, limits) => within(limits, (check) => answers.eventTypes(terms, check)),
    trend: (question, terms, limits) => within(limits, (check) => answers.trend(question, terms, check)),
    funnel: (question, terms, limits) => within(limits, (check) => answers.funnel(question, terms, check)),
    retention: (question, terms, limits) =>
      within(limits, (check) => answers.retention(question, terms, check)),
    userFacts: (question, terms, limits) =>
      within(limits, (check) => answers.userFacts(question, terms, check)),
  };
}

// Where events arrive faster than they are built, a question spends this share of its time on waiting; then the events
// themselves answer it, which is soon done for a list or a short time.
const SHARE_OF_BUILDING = 0.5;

export function createQuestions(
  build: RollupBuild,
  erasures: Pick<Erasures, "rest">,
  answerer: Answerer,
  limitMs: number,
): EventQuestions {
  async function prepare({ verify = false, gone, instead }: Asking = {}): Promise<[Terms, Limits]> {
    const startedAt = Date.now();
    const until = startedAt + SHARE_OF_BUILDING * limitMs;
    await erasures.rest(until);
    const stale = !(await build.catchUp(until));
    return [
      { verify, stale },
      { deadline: startedAt + limitMs, limitMs, instead, signal: gone },
    ];
  }

  return {
    listEvents: async (page, asking) => answerer.listEvents(page, ...(await prepare(asking))),
    eventTypes: async (asking) => answerer.eventTypes(...(await prepare(asking))),
    trend: async (question, asking) => answerer.trend(question, ...(await prepare(asking))),
    funnel: async (question, asking) => answerer.funnel(question, ...(await prepare(asking))),
    retention: async (question, asking) => answerer.retention(question, ...(await prepare(asking))),
    userFacts: async (question, asking) => answerer.userFacts(question, ...(await prepare(asking))),
  };
}
