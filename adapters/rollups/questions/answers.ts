import type { Answered } from "../../../domain/reports/answer.ts";
import type { TypeSummary } from "../../../domain/reports/catalogue.ts";
import type { EventPage, StoredEvent } from "../../../domain/reports/event-list.ts";
import type { FunnelCount, FunnelQuestion } from "../../../domain/reports/funnel.ts";
import type { CohortCount, RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import type { Fact, FactsQuestion } from "../../../domain/reports/user-facts.ts";
import type { Work } from "../work.ts";
import { type Expired, expiredOf, expiredOfTrend, expiredOfTypes } from "./counts-only.ts";
import { factsFromRollups } from "./facts.ts";
import { funnelFromRollups } from "./funnel.ts";
import { listFromRollups } from "./list.ts";
import { personPageOf } from "./people.ts";
import {
  factsFromEvents,
  funnelFromEvents,
  rangeOfFunnel,
  rangeOfRetention,
  retentionFromEvents,
  trendFromEvents,
  typesFromEvents,
} from "./raw.ts";
import { retentionFromRollups } from "./retention.ts";
import type { Snapshot } from "./snapshot.ts";
import { trendFromRollups } from "./trend.ts";
import { typesFromRollups, withNamesOf } from "./types.ts";

/** The two ways to an answer. */
export interface Ways<T> {
  /** Undefined where the rollups cannot tell. */
  fromRollups(): Work<T | undefined>;
  /** `verified`: the answer from rollups that this one is compared with, where there is one. */
  fromEvents(verified?: T): Work<T>;
  /** The expired events that the question is about, of which only counts are kept; undefined where there are none. */
  expired?(): Work<Expired<T> | undefined>;
}

export const waysToTypes = ({ store, source, kept }: Snapshot): Ways<readonly TypeSummary[]> => ({
  fromRollups: () => typesFromRollups(store),
  *fromEvents(verified) {
    const types = yield* typesFromEvents(source);
    return verified === undefined ? types : withNamesOf(types, verified);
  },
  expired: () => expiredOfTypes(kept),
});

export const waysToTrend = (snapshot: Snapshot, question: TrendQuestion): Ways<readonly TrendSeries[]> => ({
  fromRollups: () => trendFromRollups(snapshot, question),
  fromEvents: () => trendFromEvents(snapshot, question),
  expired: () => expiredOfTrend(snapshot.kept, question),
});

export const waysToFunnel = (snapshot: Snapshot, question: FunnelQuestion): Ways<FunnelCount> => ({
  fromRollups: () => funnelFromRollups(snapshot, question),
  fromEvents: () => funnelFromEvents(snapshot, question),
  expired: () => expiredOf(snapshot.kept, rangeOfFunnel(question)),
});

export const waysToRetention = (
  snapshot: Snapshot,
  question: RetentionQuestion,
): Ways<readonly CohortCount[]> => ({
  fromRollups: () => retentionFromRollups(snapshot, question),
  fromEvents: () => retentionFromEvents(snapshot, question),
  expired: () => expiredOf(snapshot.kept, rangeOfRetention(question)),
});

/** Rollups lead to the events of a type or a user; all others are found by going back in time. */
export const waysToList = (snapshot: Snapshot, page: EventPage): Ways<readonly StoredEvent[]> => ({
  *fromRollups() {
    return yield* listFromRollups(snapshot, yield* personPageOf(snapshot, page));
  },
  *fromEvents() {
    return yield* snapshot.source.page(yield* personPageOf(snapshot, page));
  },
});

export const waysToFacts = (snapshot: Snapshot, question: FactsQuestion): Ways<readonly Fact[]> => ({
  fromRollups: () => factsFromRollups(snapshot, question),
  fromEvents: () => factsFromEvents(snapshot, question),
});

/** How a question is answered. */
export interface Terms {
  /** Also answer from the events themselves. */
  readonly verify: boolean;
  /** The rollups lack stored events: answer from the events alone. */
  readonly stale: boolean;
}

/** The answer from rollups where they can give one, else the one from the events. */
export function* answered<T>({ verify, stale }: Terms, ways: Ways<T>): Work<Answered<T>> {
  const value = stale ? undefined : yield* ways.fromRollups();
  if (value !== undefined) {
    const recomputed = verify ? yield* ways.fromEvents(value) : undefined;
    return yield* withExpired({ source: "rollup", value, recomputed }, ways);
  }
  const raw = yield* ways.fromEvents();
  return yield* withExpired({ source: "raw", value: raw, recomputed: verify ? raw : undefined }, ways);
}

/** The answer from rollups; undefined where they cannot give one. */
export function* answeredFromRollups<T>(ways: Ways<T>): Work<Answered<T> | undefined> {
  const value = yield* ways.fromRollups();
  return value === undefined ? undefined : yield* withExpired({ source: "rollup", value }, ways);
}

/** Adds the counts of expired events to both answers: they cannot be computed again. */
function* withExpired<T>(answer: Answered<T>, { expired }: Ways<T>): Work<Answered<T>> {
  const kept = expired && (yield* expired());
  if (kept === undefined) return answer;
  const { addTo, ...countsOnly } = kept;
  const { value, recomputed } = answer;
  return {
    ...answer,
    value: addTo(value),
    recomputed: recomputed === undefined ? undefined : addTo(recomputed),
    countsOnly,
  };
}
