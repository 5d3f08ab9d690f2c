import { setImmediate as nextTurn } from "node:timers/promises";
import type { Answered, Asking } from "../../../domain/reports/answer.ts";
import type { TypeSummary } from "../../../domain/reports/catalogue.ts";
import type { EventPage, StoredEvent } from "../../../domain/reports/event-list.ts";
import type { FunnelCount, FunnelQuestion } from "../../../domain/reports/funnel.ts";
import type { CohortCount, RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import type { Fact, FactsQuestion } from "../../../domain/reports/user-facts.ts";
import type { EventQuestions } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Erasures } from "../../background/erasures.ts";
import { RollupBuilder } from "../../rollups/build/builder.ts";
import { overlaid } from "../../rollups/overlay.ts";
import {
  answered,
  answeredFromRollups,
  type Ways,
  waysToFacts,
  waysToFunnel,
  waysToList,
  waysToRetention,
  waysToTrend,
  waysToTypes,
} from "../../rollups/questions/answers.ts";
import type { Snapshot } from "../../rollups/questions/snapshot.ts";
import { isTrendInRollups } from "../../rollups/questions/trend.ts";
import { run, type Work } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import { CONNECTIONS, type ConnectionOptions } from "../connection.ts";
import type { Database } from "../database.ts";
import { createAssignmentSource } from "../experiments/assignment-source.ts";
import { createLinkSource } from "../people/links.ts";
import { createEventSource } from "./event-source.ts";
import { createKeptStore } from "./kept-counts.ts";
import { createLane, createOnce, type Lane, limited, type Once } from "./lanes.ts";
import type { RollupBuild } from "./rollup-build.ts";
import { createQuestionStore, createRollupStore } from "./rollup-store.ts";
import { setTimes, tailOf, type Usable, usabilityOf } from "./unbuilt-events.ts";
import { VisitorCache } from "./visitor-cache.ts";

/** `short` either way, `short from rollups` alone, or `long`. */
type Effort = "short" | "short from rollups" | "long";

/** A question, apart from its kind. */
interface Asked<T> {
  readonly effort: Effort;
  readonly waysTo: (snapshot: Snapshot) => Ways<T>;
}

/** The limits of one attempt to answer. */
interface Attempt {
  readonly verify: boolean;
  readonly onlyFromRollups: boolean;
  readonly givenUp: AbortSignal;
  /** Until then the question waits for a build rather than be answered from the events. */
  readonly waitsUntil: Instant;
  /** Called when the snapshot is taken. */
  readonly begin: () => void;
}

// Facts about more users than this are a long report.
const FEW_USERS = 32;
const LIMIT_MS = 15_000;
const TIMES_AT_ONCE = 5_000;
const SHARE_OF_BUILDING = 0.5;
// A report keeps a connection, in the long lane for seconds: others are left for what stores events.
const MOST_IN_LANE = 2;
// How long the process computes before it does something else.
const TURN_MS = 8;

/** Runs work in turns with everything else that the process does. */
export function inTurns<T>(work: Work<T>, givenUp: AbortSignal): Promise<T> {
  let turn = performance.now();
  return run(work, () => {
    givenUp.throwIfAborted();
    if (performance.now() - turn < TURN_MS) return undefined;
    return nextTurn().then(() => {
      turn = performance.now();
    });
  });
}

const snapshotOf = (query: Query, cache: VisitorCache, users: number): Snapshot => ({
  store: createQuestionStore(query, cache),
  source: createEventSource(query),
  links: createLinkSource(query),
  kept: createKeptStore(query),
  assignments: createAssignmentSource(query),
  users,
});

/** The rollups, with the events that they lack planned as a build would and written nowhere. */
export async function usableSnapshot(
  query: Query,
  cache: VisitorCache,
  { state, unbuilt }: Usable,
  givenUp: AbortSignal,
): Promise<Snapshot> {
  const stored = snapshotOf(query, cache, state.users);
  if (unbuilt === 0) return stored;
  const tail = await tailOf(query);
  const builder = new RollupBuilder({ loadsAllUsers: false, maxRows: Number.POSITIVE_INFINITY });
  const work = builder.build(createRollupStore(query), state, tail, state.build);
  const { rows, after } = await inTurns(work, givenUp);
  return { ...stored, store: overlaid(stored.store, rows), users: after.users };
}

/** Answers within a snapshot; undefined where rollups alone cannot, or what has to come first. */
async function answerIn<T>(
  query: Query,
  waysTo: (snapshot: Snapshot) => Ways<T>,
  cache: VisitorCache,
  { verify, onlyFromRollups, givenUp, waitsUntil }: Attempt,
): Promise<Answered<T> | "behind" | "timeless" | "erasing" | undefined> {
  const usability = await usabilityOf(query);
  if (usability.kind !== "rebuilding" && usability.kind !== "usable" && Date.now() < waitsUntil)
    return usability.kind;
  if (usability.kind !== "usable") {
    if (onlyFromRollups) return undefined;
    return inTurns(answered({ verify, stale: true }, waysTo(snapshotOf(query, cache, 0))), givenUp);
  }
  const ways = waysTo(await usableSnapshot(query, cache, usability, givenUp));
  if (!onlyFromRollups) return inTurns(answered({ verify, stale: false }, ways), givenUp);
  return inTurns(answeredFromRollups(ways), givenUp);
}

interface Lanes {
  readonly short: Lane;
  readonly long: Lane;
}

/** A pool that is too small for two lanes has one. */
function lanesOf(connections: number): Lanes {
  const short = createLane(Math.max(1, Math.min(MOST_IN_LANE, Math.floor((connections - 1) / 2))));
  return {
    short,
    long: connections < 3 ? short : createLane(Math.min(MOST_IN_LANE, Math.floor((connections - 1) / 2))),
  };
}

const effortOfList = ({ event_types, user_id, session_id, where }: EventPage): Effort => {
  if (event_types.length > 0 || user_id !== undefined) return "short from rollups";
  return session_id === undefined && where.length === 0 ? "short" : "long";
};

// A question about the people of an experiment reads all of its assignments.
const effortOfTrend = (question: TrendQuestion): Effort =>
  question.members === undefined && isTrendInRollups(question) ? "short from rollups" : "long";

const effortOfRetention = ({ members }: RetentionQuestion): Effort =>
  members === undefined ? "short from rollups" : "long";

const effortOfFacts = ({ users }: FactsQuestion): Effort =>
  users.length <= FEW_USERS ? "short from rollups" : "long";

export function createQuestions(
  database: Database,
  build: RollupBuild,
  erasures: Pick<Erasures, "rest">,
  { reportMs: limitMs = LIMIT_MS, connections = CONNECTIONS }: ConnectionOptions,
): EventQuestions {
  const lanes = lanesOf(connections);
  const cache = new VisitorCache();

  async function attempt<T>(
    waysTo: (snapshot: Snapshot) => Ways<T>,
    own: Attempt,
  ): Promise<Answered<T> | undefined> {
    const read = (query: Query) => {
      own.begin();
      return answerIn(query, waysTo, cache, own);
    };
    for (;;) {
      const answer = await database.snapshot(read, { givenUp: own.givenUp, limitMs });
      if (answer === "behind") await build.catchUp(own.waitsUntil);
      else if (answer === "timeless") await database.transaction((query) => setTimes(query, TIMES_AT_ONCE));
      else if (answer === "erasing") await erasures.rest(own.waitsUntil);
      else return answer;
    }
  }

  function answer<T>(
    { effort, waysTo }: Asked<T>,
    { verify = false, ...asker }: Asking,
    begin: () => void,
  ): Promise<Answered<T>> {
    const waitsUntil = Date.now() + SHARE_OF_BUILDING * limitMs;
    return limited(limitMs, asker, async (givenUp) => {
      const own = { verify, givenUp, waitsUntil, begin };
      const isShort = effort !== "long" && !verify;
      const onlyFromRollups = effort === "short from rollups";
      const quick = isShort
        ? await lanes.short(() => attempt(waysTo, { ...own, onlyFromRollups }))
        : undefined;
      const answer = quick ?? (await lanes.long(() => attempt(waysTo, { ...own, onlyFromRollups: false })));
      if (answer === undefined) throw new Error("the events themselves answer every question");
      return answer;
    });
  }

  const ask = <T>(once: Once<Answered<T>>, question: unknown, asked: Asked<T>, asking: Asking = {}) =>
    once(JSON.stringify([question, asking.verify ?? false]), asking, (shared, begin) =>
      answer(asked, shared, begin),
    );

  const lists = createOnce<Answered<readonly StoredEvent[]>>();
  const types = createOnce<Answered<readonly TypeSummary[]>>();
  const trends = createOnce<Answered<readonly TrendSeries[]>>();
  const funnels = createOnce<Answered<FunnelCount>>();
  const facts = createOnce<Answered<readonly Fact[]>>();
  const retentions = createOnce<Answered<readonly CohortCount[]>>();

  return {
    listEvents: async (page, asking) => {
      const waysTo = (snapshot: Snapshot) => waysToList(snapshot, page);
      const asked = { effort: effortOfList(page), waysTo };
      const { value } = await ask(lists, page, asked, { ...asking, verify: false });
      return value;
    },
    eventTypes: (asking) => ask(types, null, { effort: "short from rollups", waysTo: waysToTypes }, asking),
    trend: (question: TrendQuestion, asking) => {
      const waysTo = (snapshot: Snapshot) => waysToTrend(snapshot, question);
      return ask(trends, question, { effort: effortOfTrend(question), waysTo }, asking);
    },
    funnel: (question: FunnelQuestion, asking) =>
      ask(funnels, question, { effort: "long", waysTo: (own) => waysToFunnel(own, question) }, asking),
    retention: (question: RetentionQuestion, asking) => {
      const waysTo = (snapshot: Snapshot) => waysToRetention(snapshot, question);
      return ask(retentions, question, { effort: effortOfRetention(question), waysTo }, asking);
    },
    userFacts: async (question, asking) => {
      const waysTo = (snapshot: Snapshot) => waysToFacts(snapshot, question);
      const asked = { effort: effortOfFacts(question), waysTo };
      const { value } = await ask(facts, question, asked, { ...asking, verify: false });
      return value;
    },
  };
}
