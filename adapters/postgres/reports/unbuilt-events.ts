import type { UnbuiltEvent } from "../../rollups/build/builder.ts";
import type { Query } from "../client.ts";
import { EVENT_TIME } from "./event-source.ts";
import { isBehind, isCurrent, type StoredState } from "./rollup-writer.ts";

// Which stored events the rollups do not contain yet. Each storing statement leaves one row with its ids in the journal;
// the build that adds them deletes the row. Rows of other programs are in no journal: a column's default marks them.

const EVENT = `id, event_type, user_id, properties, ${EVENT_TIME} as occurred_at`;

interface OldEvent extends UnbuiltEvent {
  /** Another program has stored the event. */
  readonly is_foreign: boolean;
}

const JOURNAL = "select first_id, events from event_journal order by first_id limit $1";

const TAKE_JOURNAL =
  "delete from event_journal where first_id = any($1::bigint[]) returning ids::text[] as ids";

const BY_IDS = `select ${EVENT} from events where id = any($1::bigint[]) order by id`;

// Those in the range of the backfill are left to it.
const FOREIGN = `
  select ${EVENT} from events where not journaled and (id <= $2 or id > $3) order by id limit $1`;

const ADOPT = `
  update events set journaled = true, occurred_at = f.occurred_at
  from unnest($1::bigint[], $2::bigint[]) as f(id, occurred_at) where events.id = f.id`;

// The most events that an answer adds to the rollups by itself, in about a tenth of a second. Where there are more, it waits
// for a build.
const MAX_TAIL = 3_000;

// An event is in the backfill's range and in the journal where it was stored during the backfill: the journal adds it
// when its id is behind the backfill, and else leaves it to the backfill.
const BACKFILL = `
  select ${EVENT}, occurred_at is null or journaled is false as is_foreign from events
  where id > $1 and id <= $2 and id not in (select unnest(ids) from event_journal)
  order by id limit $3`;

const TAIL = `
  select ${EVENT} from events where id in (select unnest(ids) from event_journal)
  union all
  select ${EVENT} from events where not journaled`;

/** Events to build, and the state's backfill once they are in. */
export interface Batch {
  readonly events: readonly UnbuiltEvent[];
  readonly backfilled: number;
  /** Whether there may be more. */
  readonly more: boolean;
}

/** The ids of some statements' events, taken out of the journal. */
async function takeJournal(query: Query, most: number): Promise<number[]> {
  const rows = await query<{ first_id: number; events: number }>(JOURNAL, [most]);
  const taken: number[] = [];
  let events = 0;
  for (const row of rows) {
    if (events > 0 && events + row.events > most) break;
    events += row.events;
    taken.push(row.first_id);
  }
  if (taken.length === 0) return [];
  const statements = await query<{ ids: string[] }>(TAKE_JOURNAL, [taken]);
  return statements.flatMap(({ ids }) => ids.map(Number));
}

/** Gives rows of other programs their time, and marks them as known. */
async function adopt(query: Query, events: readonly UnbuiltEvent[]): Promise<void> {
  if (events.length === 0) return;
  await query(ADOPT, [events.map(({ id }) => id), events.map(({ occurred_at }) => occurred_at)]);
}

const SET_TIMES = `
  update events set occurred_at = ${EVENT_TIME}
  where occurred_at is null and id in (select id from events where occurred_at is null limit $1)`;

/** Gives rows of other programs their time, at most this many. */
export const setTimes = async (query: Query, most: number): Promise<void> => {
  await query(SET_TIMES, [most]);
};

/** Takes the next events, at most about `most`, within the transaction that holds the state's lock. */
export async function takeUnbuilt(query: Query, state: StoredState, most: number): Promise<Batch> {
  const { backfilled, backfill_end } = state;
  const ids = await takeJournal(query, most);
  const own = ids.filter((id) => id <= backfilled || id > backfill_end);
  const journaled = own.length === 0 ? [] : await query<UnbuiltEvent>(BY_IDS, [own]);
  const foreign = await query<UnbuiltEvent>(FOREIGN, [most, backfilled, backfill_end]);
  await adopt(query, foreign);
  const events = [...journaled, ...foreign];
  if (!isBehind(state) || events.length >= most) return { events, backfilled, more: events.length > 0 };
  const left = most - events.length;
  const old = await query<OldEvent>(BACKFILL, [backfilled, backfill_end, left], { once: true });
  await adopt(
    query,
    old.filter(({ is_foreign }) => is_foreign),
  );
  const reached = old.length < left ? backfill_end : (old.at(-1)?.id ?? backfill_end);
  return { events: [...events, ...old], backfilled: reached, more: true };
}

// Without the backfill's index, looking for rows of other programs would read the whole table.
const BACKLOG = `
  select format, build, users, types, properties, backfilled, backfill_end,
    (select coalesce(sum(events), 0)::bigint from event_journal)
      + case when backfilled < backfill_end then 0
          else (select count(*) from (select from events where not journaled limit ${MAX_TAIL}) as foreign_events)
        end as unbuilt,
    exists (select from events where occurred_at is null) as has_timeless,
    exists (select from erasing) as is_erasing
  from event_rollup`;

interface Backlog extends StoredState {
  /** The number of events that the rollups lack, apart from the backfill's. */
  readonly unbuilt: number;
  /** Whether another program has stored events without their time, which no report would find. */
  readonly has_timeless: boolean;
  /** Whether a user is being erased, whom the rollups still have. */
  readonly is_erasing: boolean;
}

/** Rollups that can be used as they are, with the tail of this many events added. */
export interface Usable {
  readonly kind: "usable";
  readonly state: StoredState;
  readonly unbuilt: number;
}

/** How the rollups of a snapshot can be used. */
export type Usability =
  | Usable
  /** After a build. */
  | { readonly kind: "behind" }
  /** Not until `setTimes` has given rows of other programs their time. */
  | { readonly kind: "timeless" }
  /** After the erasure of a user, whom they still have. */
  | { readonly kind: "erasing" }
  /** Not until the rebuild is done. */
  | { readonly kind: "rebuilding" };

export async function usabilityOf(query: Query): Promise<Usability> {
  const [backlog] = await query<Backlog>(BACKLOG, []);
  if (backlog === undefined) throw new Error("the table event_rollup has lost its row");
  const { unbuilt, has_timeless, is_erasing, ...state } = backlog;
  if (has_timeless) return { kind: "timeless" };
  if (!isCurrent(state) || isBehind(state)) return { kind: "rebuilding" };
  if (is_erasing) return { kind: "erasing" };
  return unbuilt >= MAX_TAIL ? { kind: "behind" } : { kind: "usable", state, unbuilt };
}

/** All events that the rollups of a snapshot lack, once its backfill is done. */
export const tailOf = (query: Query): Promise<UnbuiltEvent[]> =>
  query<UnbuiltEvent>(TAIL, [], { once: true });
