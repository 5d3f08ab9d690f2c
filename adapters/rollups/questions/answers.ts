import type { Answered } from "../../../domain/reports/answer.ts";
import type { TypeSummary } from "../../../domain/reports/catalogue.ts";
import type { EventPage, StoredEvent } from "../../../domain/reports/event-list.ts";
import type { FunnelCount, FunnelQuestion } from "../../../domain/reports/funnel.ts";
import type { CohortCount, RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { TrendQuestion, TrendSeries } from "../../../domain/reports/trend.ts";
import type { Work } from "../work.ts";
import { funnelFromRollups } from "./funnel.ts";
import { listFromRollups } from "./list.ts";
import { funnelFromEvents, retentionFromEvents, trendFromEvents, typesFromEvents } from "./raw.ts";
import { retentionFromRollups } from "./retention.ts";
import type { Snapshot } from "./snapshot.ts";
import { trendFromRollups } from "./trend.ts";
import { typesFromRollups } from "./types.ts";

/** How a question is answered. */
export interface Terms {
  /** Also answer from the events themselves. */
  readonly verify: boolean;
  /** The rollups lack stored events: answer from the events alone. */
  readonly stale: boolean;
}

/** The answer from rollups where they can give one, else the one from the events. */
function* answered<T>(
  { verify, stale }: Terms,
  fromRollups: Work<T | undefined>,
  fromEvents: () => Work<T>,
): Work<Answered<T>> {
  const value = stale ? undefined : yield* fromRollups;
  if (value === undefined) {
    const raw = yield* fromEvents();
    return verify ? { source: "raw", value: raw, recomputed: raw } : { source: "raw", value: raw };
  }
  if (!verify) return { source: "rollup", value };
  return { source: "rollup", value, recomputed: yield* fromEvents() };
}

export const answerTypes = (snapshot: Snapshot, terms: Terms): Work<Answered<readonly TypeSummary[]>> =>
  answered<readonly TypeSummary[]>(terms, typesFromRollups(snapshot), () => typesFromEvents(snapshot.source));

export const answerTrend = (
  snapshot: Snapshot,
  question: TrendQuestion,
  terms: Terms,
): Work<Answered<readonly TrendSeries[]>> =>
  answered<readonly TrendSeries[]>(terms, trendFromRollups(snapshot, question), () =>
    trendFromEvents(snapshot.source, question),
  );

export const answerFunnel = (
  snapshot: Snapshot,
  question: FunnelQuestion,
  terms: Terms,
): Work<Answered<FunnelCount>> =>
  answered(terms, funnelFromRollups(snapshot, question), () => funnelFromEvents(snapshot.source, question));

export const answerRetention = (
  snapshot: Snapshot,
  question: RetentionQuestion,
  terms: Terms,
): Work<Answered<readonly CohortCount[]>> =>
  answered<readonly CohortCount[]>(terms, retentionFromRollups(snapshot, question), () =>
    retentionFromEvents(snapshot.source, question),
  );

/** A page of events: by what the rollups know where they lead to its events, else along time. */
export function* answerList(
  snapshot: Snapshot,
  page: EventPage,
  { stale }: Terms,
): Work<readonly StoredEvent[]> {
  const listed = stale ? undefined : yield* listFromRollups(snapshot, page);
  return listed ?? (yield* snapshot.source.page(page));
}
