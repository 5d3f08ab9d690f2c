import type { Database } from "better-sqlite3";
import { CatalogueTally, type TypeSummary } from "../../domain/reports/catalogue.ts";
import type { EventPlace } from "../../domain/reports/event-list.ts";
import type { FunnelCount, FunnelQuestion } from "../../domain/reports/funnel.ts";
import { type FunnelEvent, FunnelReader } from "../../domain/reports/funnel-tally.ts";
import { type CohortCount, type RetentionQuestion, RetentionTally } from "../../domain/reports/retention.ts";
import type { TrendQuestion, TrendSeries } from "../../domain/reports/trend.ts";
import { type AskedEvent, TrendTally } from "../../domain/reports/trend-tally.ts";
import type { Patience } from "./patience.ts";

/** Answers questions from the events themselves: to those that the rollups cannot answer, and to hold the rollups to. */
export interface EventRows {
  types(patience: Patience): TypeSummary[];
  trend(question: TrendQuestion, patience: Patience): TrendSeries[];
  funnel(question: FunnelQuestion, patience: Patience): FunnelCount;
  retention(question: RetentionQuestion, patience: Patience): CohortCount[];
}

type Row = AskedEvent & FunnelEvent;

interface Wanted {
  readonly from: number;
  readonly to: number;
  /** Any type where there are none. */
  readonly types: readonly (string | null)[];
}

// A statement cannot be given up while it runs; so it reads some milliseconds' worth of rows.
const ROWS_AT_ONCE = 5_000;
const EVER = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
const BEFORE_ALL_IDS = Number.MIN_SAFE_INTEGER;

/** Of the events up to the id that `upTo` says at the time. */
export function createEventRows(db: Database, upTo: () => number): EventRows {
  const selectPiece = db.prepare<[number, number, number], EventPlace>(
    `select occurred_at, id from events where (occurred_at, id) > (?, ?) and occurred_at < ?
     order by occurred_at, id limit 1 offset ${ROWS_AT_ONCE - 1}`,
  );
  const selectRows = db.prepare<[number, number, number, number, number, string | null, string | null], Row>(
    `select id, event_type, user_id, session_id, properties, occurred_at from events
     where (occurred_at, id) > (?, ?) and (occurred_at, id) <= (?, ?) and id <= ?
       and (? is null or event_type in (select value from json_each(?)))
     order by occurred_at, id`,
  );

  /** Visits the rows in the order of time and id. */
  function each({ from, to, types }: Wanted, patience: Patience, visit: (row: Row) => void): void {
    const newest = upTo();
    const chosen = types.length === 0 || types.includes(null) ? null : JSON.stringify(types);
    let place: EventPlace = { occurred_at: from, id: BEFORE_ALL_IDS };
    for (let more = true; more; ) {
      patience.check();
      const end = selectPiece.get(place.occurred_at, place.id, to);
      more = end !== undefined;
      const last = end ?? { occurred_at: to, id: BEFORE_ALL_IDS };
      const rows = selectRows.all(
        place.occurred_at,
        place.id,
        last.occurred_at,
        last.id,
        newest,
        chosen,
        chosen,
      );
      for (const row of rows) visit(row);
      place = last;
    }
  }

  return {
    types(patience) {
      const tally = new CatalogueTally();
      each({ ...EVER, types: [] }, patience, (row) => tally.add(row));
      return tally.types();
    },

    trend(question, patience) {
      const { edges, event_types: types } = question;
      const tally = new TrendTally(question);
      const range = { from: edges[0] ?? 0, to: edges.at(-1) ?? 0 };
      each({ ...range, types }, patience, (row) => tally.add(row));
      return tally.series();
    },

    funnel(question, patience) {
      const { from, to, steps, order } = question;
      const types = order === "strict" ? [] : steps.map(({ event_type }) => event_type);
      const users = new Map<string, Row[]>();
      each({ from, to, types }, patience, (row) => {
        if (row.user_id === null) return;
        const known = users.get(row.user_id);
        if (known === undefined) users.set(row.user_id, [row]);
        else known.push(row);
      });
      const reader = new FunnelReader(question);
      for (const rows of users.values()) {
        patience.check();
        for (const row of rows) reader.add(row);
      }
      return reader.count();
    },

    retention(question, patience) {
      const { event_type, return_event_type, cohort, edges } = question;
      const tally = new RetentionTally(question);
      // A user's first event may lie before any cohort.
      const from = cohort === "first" ? EVER.from : (edges[0] ?? 0);
      const range = { from, to: edges.at(-1) ?? 0 };
      each({ ...range, types: [event_type, return_event_type] }, patience, (row) => tally.add(row));
      return tally.counts();
    },
  };
}
