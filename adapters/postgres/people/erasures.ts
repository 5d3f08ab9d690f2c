import { setTimeout as sleep } from "node:timers/promises";
import type { ErasedCounts, Erasure, NewErasure } from "../../../domain/people/erasure.ts";
import type { ErasureStore, OnRetry } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import type { RollupBuild } from "../reports/rollup-build.ts";
import { detach, removeEvents, sweepValues } from "./event-removal.ts";
import { idsOf } from "./links.ts";
import { leaveExperiments } from "./memberships.ts";

/**
 * Erases users. One small transaction takes the user out of all experiments and marks their ids: from then on no answer
 * shows anything of them. Their events and values are deleted bit by bit, also by a later process; then the mark goes. Each
 * step may run twice, so several processes may be at work on the same user.
 */
export interface Erasures extends ErasureStore {
  /** Goes on with the erasures that another process, or an earlier one, has not finished. */
  resume(): void;
  /** Waits for erasures that are under way, at most until then: while there are any, questions read all events. */
  rest(until: Instant): Promise<void>;
  /** Ends after the current step; another process or a later one goes on from there. */
  stop(): Promise<void>;
}

interface Marked {
  readonly user_id: string;
  readonly receipt: string;
  readonly alias: string;
}

type ErasureRow = ErasedCounts & { readonly receipt: string; readonly erased_at: Instant };

const POLL_MS = 20;
const RETRY_MS = 1_000;
const IDS_A_STEP = 10_000;

const MARK = `
  insert into erasing(user_id, receipt, alias) values ($1, $2, $3) on conflict (user_id) do nothing returning receipt`;
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

const COUNTS = "receipt, erased_at, events, assignments, metric_values, links";
const SELECT = `select ${COUNTS} from erasures where receipt = $1`;
const PAGE = `
  select ${COUNTS} from erasures where (erased_at, receipt collate "C") < ($1, $2)
  order by erased_at desc, receipt collate "C" desc limit $3`;

const erasureOf = ({ receipt, erased_at, ...erased }: ErasureRow): Erasure => ({
  receipt,
  erased_at,
  erased,
});

/** Marks the ids, and answers the receipt under which they are being erased from now on. */
async function begin(query: Query, { user_id, receipt, requested_at }: NewErasure): Promise<string> {
  // The named id first: two calls for it wait for each other here.
  const others = (await idsOf(query, user_id)).filter((id) => id !== user_id).sort();
  const ids = [user_id, ...others];
  let assignments = 0;
  for (const [index, id] of ids.entries()) {
    // No name of a client's has a control character.
    const marked = await query(MARK, [id, receipt, `\u0001 ${receipt} ${index}`]);
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

export function createErasures(
  database: Database,
  build: Pick<RollupBuild, "catchUp">,
  onRetry: OnRetry,
  now: () => Instant = Date.now,
): Erasures {
  const stopping = new AbortController();
  const { signal } = stopping;
  let working: Promise<void> | undefined;

  const pause = (milliseconds: number): Promise<unknown> =>
    sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});

  async function eraseEvents(one: Marked): Promise<void> {
    while (!signal.aborted) {
      await detach(database, build, one, signal);
      const onRemove = (query: Query, events: number) => query(ADD_EVENTS, [one.receipt, events]);
      if (await removeEvents(database, one.alias, signal, onRemove)) return;
    }
  }

  async function eraseValues(receipt: string): Promise<void> {
    while (!signal.aborted) {
      const [batch] = await database.transaction((query) => query<{ ids: number }>(REMOVE_VALUES, [receipt]));
      if (batch === undefined || batch.ids < IDS_A_STEP) return;
    }
  }

  async function eraseAll(receipt: string): Promise<void> {
    const marked = await database.query<Marked>("select * from erasing where receipt = $1 order by alias", [
      receipt,
    ]);
    for (const one of marked) await eraseEvents(one);
    await sweepValues(database, signal);
    while (!signal.aborted) {
      await eraseValues(receipt);
      if (signal.aborted) return;
      const done = await database.transaction((query) => finish(query, receipt, marked, now()));
      if (done === "done") return;
      if (done === "wait") await pause(POLL_MS);
    }
  }

  async function nextReceipt(): Promise<string | undefined> {
    const [row] = await database.query<{ receipt: string }>("select receipt from erasing limit 1");
    return row?.receipt;
  }

  async function workOn(): Promise<void> {
    while (!signal.aborted) {
      try {
        const receipt = await nextReceipt();
        if (receipt === undefined) return;
        await eraseAll(receipt);
      } catch (error) {
        onRetry("erasures", error);
        // The database is away or full. Nothing is shown of these users meanwhile.
        await pause(RETRY_MS);
      }
    }
  }

  function work(): Promise<void> {
    working ??= workOn().finally(() => {
      working = undefined;
    });
    return working;
  }

  async function untilErased(receipt: string): Promise<Erasure | undefined> {
    while (!signal.aborted) {
      const [row] = await database.query<ErasureRow>(SELECT, [receipt]);
      if (row === undefined || row.erased_at !== null) return row && erasureOf(row);
      await work();
    }
    return undefined;
  }

  return {
    async eraseUser(erasure) {
      return untilErased(await database.transaction((query) => begin(query, erasure)));
    },
    async listErasures({ limit, before }) {
      const { erased_at, receipt } = before ?? { erased_at: Number.MAX_SAFE_INTEGER, receipt: "" };
      return (await database.query<ErasureRow>(PAGE, [erased_at, receipt, limit])).map(erasureOf);
    },
    resume: () => void work(),
    async rest(until) {
      while (!signal.aborted && Date.now() < until && (await nextReceipt()) !== undefined) {
        await Promise.race([work(), pause(Math.min(POLL_MS, until - Date.now()))]);
      }
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
