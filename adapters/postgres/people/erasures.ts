import type { NewErasure } from "../../../domain/people/erasure.ts";
import type { OnRetry } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Background } from "../../background/background.ts";
import {
  aliasOf,
  createErasures,
  ERASURE_COLUMNS,
  type ErasureRow,
  type Erasures,
  type Marked,
} from "../../background/erasures.ts";
import type { LostValues } from "../../rollups/removal/removed-rows.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import type { RollupBuild } from "../reports/rollup-build.ts";
import { detach, removeEvents, sweepValues } from "./event-removal.ts";
import { idsOf } from "./links.ts";
import { leaveExperiments } from "./memberships.ts";

const POLL_MS = 20;
const IDS_A_STEP = 10_000;

const MARK = `
  insert into erasing(user_id, receipt, alias) values ($1, $2, $3) on conflict (user_id) do nothing returning receipt`;
const MARKED = "select * from erasing where receipt = $1 order by alias";
const NEXT = "select receipt from erasing limit 1";
const WAITING = "select count(distinct receipt)::int as receipts from erasing";
const MARKED_AS = "select receipt from erasing where user_id = $1";
const INSERT = `
  insert into erasures(receipt, requested_at, events, assignments, metric_values, links, values_reached, marked_by)
  values ($1, $2, 0, $3, 0, $4, ${Number.MIN_SAFE_INTEGER}, pg_current_xact_id())`;
const ADD_EVENTS = "update erasures set events = events + $2 where receipt = $1";

// The table has no index by user, which each value would pay for: its ids are gone through once.
const REMOVE_VALUES = `
  with reached as (select values_reached from erasures where receipt = $1 for update),
  batch as (
    select id from ab_metrics where id > (select values_reached from reached) order by id limit ${IDS_A_STEP}
  ),
  gone as (
    delete from ab_metrics m using batch b
    where m.id = b.id and m.user_id in (select user_id from erasing where receipt = $1) returning m.id
  ),
  advanced as (
    update erasures set metric_values = metric_values + (select count(*) from gone),
      values_reached = coalesce((select max(id) from batch), values_reached)
    where receipt = $1
  )
  select count(*)::int as ids from batch`;
const RESTART_VALUES = `update erasures set values_reached = ${Number.MIN_SAFE_INTEGER} where receipt = $1`;

// Statements that began before the mark may not have been committed yet.
const IS_ALONE = `
  select pg_snapshot_xmin(pg_current_snapshot()) > marked_by as is_alone from erasures where receipt = $1 for update`;
const FORGET = "delete from event_users where user_id = any($1::text[])";
const UNMARK = "delete from erasing where receipt = $1";
const FINISH = "update erasures set erased_at = $2 where receipt = $1 and erased_at is null";
const DROP = "delete from erasures where receipt = $1 and events + assignments + metric_values + links = 0";

const SELECT = `select ${ERASURE_COLUMNS} from erasures where receipt = $1`;
const PAGE = `
  select ${ERASURE_COLUMNS} from erasures where (erased_at, receipt collate "C") < ($1, $2)
  order by erased_at desc, receipt collate "C" desc limit $3`;

/** Marks the ids, and answers the receipt under which they are being erased from now on. */
async function begin(query: Query, { user_id, receipt, requested_at }: NewErasure): Promise<string> {
  // The named id first: two calls for it wait for each other here.
  const others = (await idsOf(query, user_id)).filter((id) => id !== user_id).sort();
  const ids = [user_id, ...others];
  let assignments = 0;
  for (const [index, id] of ids.entries()) {
    const marked = await query(MARK, [id, receipt, aliasOf(receipt, index)]);
    if (marked.length === 0 && index === 0) {
      const [known] = await query<{ receipt: string }>(MARKED_AS, [id]);
      // Without a row the other erasure has been finished just now.
      return known?.receipt ?? begin(query, { user_id, receipt, requested_at });
    }
    await query("delete from user_links where user_id = $1", [id]);
    assignments += (await leaveExperiments(query, id)).assignments;
  }
  await query(INSERT, [receipt, requested_at, assignments, ids.length - 1]);
  return receipt;
}

/** Takes away the mark; `again` where values may have been stored meanwhile, `wait` where some may still be. */
async function finish(
  query: Query,
  receipt: string,
  marked: readonly Marked[],
  now: Instant,
): Promise<"done" | "again" | "wait"> {
  const [row] = await query<{ is_alone: boolean }>(IS_ALONE, [receipt]);
  if (row === undefined) return "done";
  if (!row.is_alone) return "wait";
  let isNothing = true;
  for (const { user_id } of marked)
    isNothing = (await leaveExperiments(query, user_id)).isNothing && isNothing;
  if (!isNothing) {
    await query(RESTART_VALUES, [receipt]);
    return "again";
  }
  await query(FORGET, [marked.map(({ alias }) => alias)]);
  await query(UNMARK, [receipt]);
  await query(FINISH, [receipt, now]);
  await query(DROP, [receipt]);
  return "done";
}

/** Several processes may be at work on the same user. */
export function openErasures(
  database: Database,
  build: Pick<RollupBuild, "catchUp">,
  onRetry: OnRetry,
  now: () => Instant = Date.now,
): Erasures {
  async function eraseEvents(one: Marked, signal: AbortSignal, lost: LostValues | undefined): Promise<void> {
    while (!signal.aborted) {
      await detach(database, build, one, signal);
      const onRemove = (query: Query, events: number) => query(ADD_EVENTS, [one.receipt, events]);
      if (await removeEvents(database, one.alias, signal, onRemove, lost)) return;
    }
  }

  async function eraseValues(receipt: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [batch] = await database.transaction((query) => query<{ ids: number }>(REMOVE_VALUES, [receipt]));
      if (batch === undefined || batch.ids < IDS_A_STEP) return;
    }
  }

  async function eraseAll(
    receipt: string,
    { signal, pause }: Pick<Background, "signal" | "pause">,
    isWhole: boolean,
  ): Promise<void> {
    const lost: LostValues | undefined = isWhole ? new Map() : undefined;
    const marked = await database.query<Marked>(MARKED, [receipt]);
    for (const one of marked) await eraseEvents(one, signal, lost);
    await sweepValues(database, signal, lost);
    while (!signal.aborted) {
      await eraseValues(receipt, signal);
      if (signal.aborted) return;
      const done = await database.transaction((query) => finish(query, receipt, marked, now()));
      if (done === "done") return;
      if (done === "wait") await pause(POLL_MS);
    }
  }

  return createErasures(onRetry, {
    begin: (erasure) => database.transaction((query) => begin(query, erasure)),
    next: async () => (await database.query<{ receipt: string }>(NEXT))[0]?.receipt,
    waiting: async () => (await database.query<{ receipts: number }>(WAITING))[0]?.receipts ?? 0,
    eraseAll,
    find: async (receipt) => (await database.query<ErasureRow>(SELECT, [receipt]))[0],
    page: ({ erased_at, receipt }, limit) => database.query<ErasureRow>(PAGE, [erased_at, receipt, limit]),
  });
}
