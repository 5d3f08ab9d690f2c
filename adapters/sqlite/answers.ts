import type { Database } from "better-sqlite3";
import type { Answered } from "../../domain/reports/answer.ts";
import { inOrder, type TypeSummary } from "../../domain/reports/catalogue.ts";
import type { EventPage, StoredEvent } from "../../domain/reports/event-list.ts";
import type { FunnelCount, FunnelQuestion } from "../../domain/reports/funnel.ts";
import type { CohortCount, RetentionQuestion } from "../../domain/reports/retention.ts";
import type { TrendQuestion, TrendSeries } from "../../domain/reports/trend.ts";
import { createEventLists } from "./event-lists.ts";
import { createEventRows } from "./event-rows.ts";
import { funnelFromRollups } from "./funnel-rollup.ts";
import type { Patience } from "./patience.ts";
import { retentionFromRollups } from "./retention-rollup.ts";
import { createRollupReader } from "./rollup-reader.ts";
import { trendFromRollups } from "./trend-rollup.ts";
import { createTypeCatalogue } from "./type-catalogue.ts";

/** What is asked, and what is answered to it, by the name of the port's method. */
export interface Questions {
  readonly listEvents: { question: EventPage; value: readonly StoredEvent[] };
  readonly eventTypes: { question: null; value: readonly TypeSummary[] };
  readonly trend: { question: TrendQuestion; value: readonly TrendSeries[] };
  readonly funnel: { question: FunnelQuestion; value: FunnelCount };
  readonly retention: { question: RetentionQuestion; value: readonly CohortCount[] };
}
export type Kind = keyof Questions;

/** A question as it goes to whichever thread answers it. */
export interface Ask<K extends Kind = Kind> {
  readonly kind: K;
  readonly question: Questions[K]["question"];
  readonly verify: boolean;
  /** The rollups lack events that are stored, and cannot be brought up to date now. */
  readonly stale: boolean;
}

type Way<K extends Kind> = (
  question: Questions[K]["question"],
  patience: Patience,
) => Questions[K]["value"] | undefined;
type Ways = { readonly [K in Kind]: Way<K> };

const ALL_IDS = Number.MAX_SAFE_INTEGER;

/** Answers questions on one connection, each as of one moment. */
export function createAnswers(db: Database) {
  let upTo = ALL_IDS;
  const reader = createRollupReader(db);
  const rows = createEventRows(db, () => upTo);
  const lists = createEventLists(db, reader);
  const catalogue = createTypeCatalogue(db);

  const kept: Ways = {
    listEvents: lists.listByRollups,
    eventTypes: () => inOrder(catalogue.types()),
    trend: (question, patience) => trendFromRollups(reader, question, patience),
    funnel: (question, patience) => funnelFromRollups(reader, question, patience),
    retention: (question, patience) => retentionFromRollups(reader, question, patience),
  };
  const raw: Ways = {
    listEvents: lists.listByTime,
    eventTypes: (_nothing, patience) => rows.types(patience),
    trend: rows.trend,
    funnel: rows.funnel,
    retention: rows.retention,
  };

  function recompute<K extends Kind>(way: Way<K>, { question }: Ask<K>, patience: Patience) {
    upTo = reader.state().through;
    try {
      return way(question, patience);
    } finally {
      upTo = ALL_IDS;
    }
  }

  function answer<K extends Kind>(ask: Ask<K>, patience: Patience): Answered<Questions[K]["value"]> {
    const rawWay = raw[ask.kind] as Way<K>;
    const keptWay = kept[ask.kind] as Way<K>;
    const value = ask.stale ? undefined : keptWay(ask.question, patience);
    if (value === undefined) return rawAnswer(rawWay(ask.question, patience), ask.verify);
    if (!ask.verify) return { source: "rollup", value };
    return { source: "rollup", value, recomputed: recompute(rawWay, ask, patience) };
  }

  /** What was made of the events themselves is its own recomputation. */
  function rawAnswer<T>(value: T | undefined, verify: boolean): Answered<T> {
    if (value === undefined) throw new Error("the events themselves answer every question");
    return verify ? { source: "raw", value, recomputed: value } : { source: "raw", value };
  }

  const atOneMoment = db.transaction((ask: Ask, patience: Patience) => answer(ask, patience));
  return <K extends Kind>(ask: Ask<K>, patience: Patience) =>
    atOneMoment(ask as Ask, patience) as Answered<Questions[K]["value"]>;
}
