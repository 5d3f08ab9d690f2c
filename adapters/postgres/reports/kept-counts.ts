import type { ExpiredEvents } from "../../../domain/storage.ts";
import {
  KEPT_PAGE,
  type KeptKey,
  type KeptRow,
  type KeptStore,
  type KeptTotal,
} from "../../rollups/kept-counts.ts";
import { countsOnlyBefore } from "../../rollups/questions/counts-only.ts";
import { run, waitFor } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import { columnsOf, rowValues, selectBy, type Table, upsertOf, valuesOf } from "./rollup-tables.ts";

const KEY = ["day", "event_type"] as const;
const KEPT: Table<KeptRow> = {
  name: "event_kept_counts",
  columns: { day: "bigint", event_type: "text", counts: "text", events: "bigint" },
  key: KEY,
};

const AT = selectBy(KEPT, KEY);
const PUT = upsertOf(KEPT);
const TOTALS = `
  select event_type, sum(events)::bigint as events, min(day) as first_day, max(day) as last_day
  from event_kept_counts group by event_type`;
const IN_SPAN = "day between $2 and $3 and ($1::text[] is null or event_type = any($1))";
const PAGE = `
  select ${columnsOf(KEPT)} from event_kept_counts as t where ${IN_SPAN} and (day, event_type) > ($4, $5)
  order by day, event_type limit ${KEPT_PAGE}`;
const LATEST = `
  select ${columnsOf(KEPT)} from event_kept_counts as t
  where ${IN_SPAN} and day = (select max(day) from event_kept_counts where ${IN_SPAN})`;

export const createKeptStore = (query: Query): KeptStore => ({
  at: (keys) => waitFor(query<KeptRow>(AT, valuesOf<KeptKey>(KEY, keys))),
  totals: () => waitFor(query<KeptTotal>(TOTALS)),
  page: ({ types, first, last }, { day, event_type }) =>
    waitFor(query<KeptRow>(PAGE, [types, first, last, day, event_type])),
  latest: ({ types, first, last }) => waitFor(query<KeptRow>(LATEST, [types, first, last])),
});

export const createExpiredEvents = ({ query }: Pick<Database, "query">): ExpiredEvents => ({
  countsOnlyBefore: (filter) => run(countsOnlyBefore(createKeptStore(query), filter), () => undefined),
});

/** Puts rows, within the transaction of the query. */
export async function putKept(query: Query, rows: readonly KeptRow[]): Promise<void> {
  if (rows.length > 0) await query(PUT, rowValues(KEPT, rows));
}
