import type { Database } from "better-sqlite3";
import type { ExpiredEvents } from "../../../domain/storage.ts";
import {
  KEPT_PAGE,
  type KeptKey,
  type KeptRow,
  type KeptSpan,
  type KeptStore,
  type KeptTotal,
} from "../../rollups/kept-counts.ts";
import { countsOnlyBefore } from "../../rollups/questions/counts-only.ts";
import { runNow } from "../../rollups/work.ts";
import { reading } from "../failures.ts";
import { all, each } from "./rollup-store.ts";

interface SpanValues {
  readonly types: string | null;
  readonly first: number;
  readonly last: number;
}

const valuesOf = ({ types, first, last }: KeptSpan): SpanValues => ({
  types: types && JSON.stringify(types),
  ...{ first, last },
});

const COLUMNS = "day, event_type, counts, events";
const IN_SPAN = `day between @first and @last
  and (@types is null or event_type in (select value from json_each(@types)))`;

export function createKeptStore(db: Database): KeptStore {
  const at = db.prepare<KeptKey[], KeptRow>(
    `select ${COLUMNS} from event_kept_counts where day = @day and event_type = @event_type`,
  );
  const totals = db.prepare<[], KeptTotal>(
    `select event_type, sum(events) as events, min(day) as first_day, max(day) as last_day
     from event_kept_counts group by event_type`,
  );
  const page = db.prepare<[SpanValues & { readonly day: number; readonly event_type: string }], KeptRow>(
    `select ${COLUMNS} from event_kept_counts where ${IN_SPAN} and (day, event_type) > (@day, @event_type)
     order by day, event_type limit ${KEPT_PAGE}`,
  );
  const latest = db.prepare<[SpanValues], KeptRow>(
    `select ${COLUMNS} from event_kept_counts
     where ${IN_SPAN} and day = (select max(day) from event_kept_counts where ${IN_SPAN})`,
  );
  return {
    at: (keys) => each(keys, at),
    totals: () => all(totals),
    page: (span, { day, event_type }) => all(page, { ...valuesOf(span), day, event_type }),
    latest: (span) => all(latest, valuesOf(span)),
  };
}

export const createExpiredEvents = (db: Database): ExpiredEvents => {
  const kept = createKeptStore(db);
  return { countsOnlyBefore: (filter) => reading(() => runNow(countsOnlyBefore(kept, filter))) };
};

/** Puts rows, within the transaction of the caller. */
export function createPutKept(db: Database): (rows: readonly KeptRow[]) => void {
  const put = db.prepare<[KeptRow]>(
    `insert or replace into event_kept_counts(${COLUMNS}) values (@day, @event_type, @counts, @events)`,
  );
  return (rows) => {
    for (const row of rows) put.run(row);
  };
}
