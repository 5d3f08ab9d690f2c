import { covariatesIn } from "../../../domain/experiments/user-total.ts";
import {
  type AssignmentStore,
  answersFor,
  type Candidate,
  type ExperimentCandidate,
  type KnownAssignment,
  type WonAssignment,
} from "../../../domain/storage.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";
import { type Definitions, readDefinitions } from "./definitions.ts";
import { isKept } from "./deletions.ts";
import { ALL_DAYS, anySlice, dayOf, epochOf, periodAt, timeOf } from "./expressions.ts";

type Key = Pick<ExperimentCandidate, "test_id" | "user_id">;
type KnownRow = Key & KnownAssignment;

// Of several candidates for one user the first counts. Sorted, so that two processes that assign the same users lock
// them in the same order and never deadlock. An experiment that was deleted takes no users. One with planned users is left
// to the transaction that holds the lock on its settings ($6). Nothing is stored where an experiment has changed since its
// metrics were read, nor for a user with another id that is assigned.
const INSERT = `
  with revised as (select revision from ab_revision),
  candidate as (
    select distinct on (test_id, user_id) c.*
    from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $8::text[])
      with ordinality as c(test_id, user_id, variant_id, assigned_at, attributes, turn)
    where exists (select from ab_tests t where t.id = c.test_id) and ${isKept("c.test_id")}
      and ($6::boolean
        or not exists (select from ab_settings s where s.test_id = c.test_id and s.planned_users is not null))
      and (select revision from revised) = $7::bigint
      and not exists (
        select from user_links l join user_links ids on ids.person_id = l.person_id
        join ab_assignments a on a.user_id = ids.user_id and a.test_id = c.test_id
        where l.user_id = c.user_id)
    order by test_id, user_id, turn
  ),
  stored as (
    insert into ab_assignments(user_id, test_id, variant_id, assigned_at, period)
    select user_id, test_id, variant_id, ${timeOf("assigned_at")}, ${periodAt("c.test_id", "c.assigned_at")}
    from candidate c order by user_id, test_id
    on conflict (user_id, test_id) do nothing
    returning user_id, test_id, period
  ),
  won as (
    select c.*, s.period, ${dayOf("c.assigned_at")} as day from candidate c join stored s using (user_id, test_id)
  ),
  known_by as (
    insert into ab_attributes(test_id, user_id, attributes)
    select test_id, user_id, attributes from won where attributes is not null order by user_id, test_id
    on conflict (user_id, test_id) do update set attributes = excluded.attributes
  ),
  counted as (
    insert into ab_cell_users as u (test_id, day, variant_id, period, slice, users)
    select test_id, each.day, variant_id, period, $5::integer, count(*)
    from won cross join lateral (values (won.day), (${ALL_DAYS})) as each(day)
    group by test_id, each.day, variant_id, period order by test_id, each.day, variant_id, period
    on conflict (test_id, day, variant_id, period, slice) do update set users = u.users + excluded.users
  ),
  covariate as (
    select won.*, x.metric_name, x.value
    from unnest($9::bigint[], $10::text[], $11::numeric[]) as x(turn, metric_name, value) join won using (turn)
  ),
  observed as (
    insert into ab_observations as o (test_id, user_id, metric_name, declared, day, count, total, denominator_count,
      denominator_total, covariate)
    select test_id, user_id, metric_name, true, day, 0, 0, 0, 0, value from covariate
    order by user_id, test_id, metric_name
    on conflict (user_id, test_id, metric_name) do update set covariate = excluded.covariate
  ),
  summed as (
    insert into ab_cell_sums as s (test_id, day, variant_id, period, metric_name, declared, slice, users_with_value,
      users_not_zero, count, y, yy, x, xx, xy, d, dd, yd)
    select test_id, each.day, variant_id, period, metric_name, true, $5::integer, 0, 0, 0, 0, 0, sum(value),
      sum(value * value), 0, 0, 0, 0
    from covariate cross join lateral (values (covariate.day), (${ALL_DAYS})) as each(day)
    group by test_id, each.day, variant_id, period, metric_name
    order by test_id, each.day, variant_id, period, metric_name
    on conflict (test_id, day, variant_id, period, metric_name, declared, slice) do update set
      x = s.x + excluded.x, xx = s.xx + excluded.xx
  )
  select r.revision, w.turn from revised r left join won w on true`;

// Held by one transaction at a time: so the call with the last planned user is the last one.
const LOCK_PLANNED = `
  select test_id, planned_users, planned_users_reached_at,
    (select coalesce(sum(users), 0)::bigint from ab_cell_users u
      where u.test_id = s.test_id and u.day = ${ALL_DAYS}) as users
  from ab_settings s where test_id = any($1::bigint[]) and planned_users is not null
  order by test_id for update`;

const PLANNED =
  "select test_id from ab_settings where test_id = any($1::bigint[]) and planned_users is not null";

const EXISTING = `select id from ab_tests t where id = any($1::bigint[]) and ${isKept("t.id")}`;

const REACHED = "update ab_settings set planned_users_reached_at = $2 where test_id = $1";

const FIND = `
  select k.test_id, k.user_id, coalesce(a.variant_id, f.variant_id) as variant_id, a.user_id is null as forced,
    coalesce(${epochOf("a.assigned_at")}, f.forced_at) as assigned_at
  from unnest($1::bigint[], $2::text[]) as k(test_id, user_id)
  left join lateral (
    select * from ab_assignments
    where test_id = k.test_id and user_id = any(array(
      select ids.user_id from user_links l join user_links ids on ids.person_id = l.person_id
      where l.user_id = k.user_id union all select k.user_id))
    order by assigned_at, user_id collate "C" limit 1
  ) a on true
  left join ab_forced f on f.test_id = k.test_id and f.user_id = k.user_id
  where coalesce(a.variant_id, f.variant_id) is not null and ${isKept("k.test_id")}`;

const textOf = ({ test_id, user_id }: Key): string => `${test_id} ${user_id}`;

/** A candidate and the call of `assign` that it came with. */
type Called = ExperimentCandidate & { readonly call: number };

interface Room {
  readonly test_id: number;
  readonly planned_users: number;
  readonly planned_users_reached_at: number | null;
  readonly users: number;
}

/** The new users of the calls that came while there was room, each call as a whole. */
function admit(
  { test_id, planned_users, planned_users_reached_at, users }: Room,
  candidates: readonly Called[],
  known: ReadonlyMap<string, KnownRow>,
): Called[] {
  const fresh = candidates.filter((one) => one.test_id === test_id && !known.has(textOf(one)));
  const admitted = new Map<string, Called>();
  const calls = new Set(fresh.map(({ call }) => call));
  for (const call of planned_users_reached_at === null ? calls : []) {
    if (users + admitted.size >= planned_users) break;
    for (const one of fresh)
      if (one.call === call && !admitted.has(one.user_id)) admitted.set(one.user_id, one);
  }
  return [...admitted.values()];
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the definitions read last, and the acts that share them.
export function createAssignmentStore(database: Database): AssignmentStore {
  let definitions: Definitions | undefined;
  let calls = 0;

  async function find(query: Query, keys: readonly Key[]): Promise<ReadonlyMap<string, KnownRow>> {
    const asked = new Map(keys.map((key) => [textOf(key), key]));
    const distinct = [...asked.values()];
    const rows = await query<KnownRow>(FIND, [
      distinct.map(({ test_id }) => test_id),
      distinct.map(({ user_id }) => user_id),
    ]);
    return new Map(rows.map((row) => [textOf(row), row]));
  }

  async function findAll(keys: readonly Key[]): Promise<(KnownAssignment | undefined)[]> {
    const found = await find(database.query, keys);
    return keys.map((key) => {
      const row = found.get(textOf(key));
      if (row === undefined) return undefined;
      const { user_id, variant_id, assigned_at, forced } = row;
      return { user_id, variant_id, assigned_at, forced };
    });
  }

  /** The positions, from 1, of the stored candidates. */
  async function insert(
    query: Query,
    candidates: readonly Called[],
    mayBePlanned: boolean,
  ): Promise<ReadonlySet<number>> {
    for (;;) {
      definitions ??= await readDefinitions(query);
      const { revision, metrics } = definitions;
      const covariates = candidates.flatMap((candidate, index) =>
        covariatesIn(metrics.get(candidate.test_id) ?? [], candidate).map((one) => ({
          ...one,
          turn: index + 1,
        })),
      );
      const rows = await query<{ revision: number; turn: number | null }>(INSERT, [
        candidates.map(({ test_id }) => test_id),
        candidates.map(({ user_id }) => user_id),
        candidates.map(({ variant_id }) => variant_id),
        candidates.map(({ assigned_at }) => assigned_at),
        anySlice(),
        mayBePlanned,
        revision,
        candidates.map(({ attributes }) => (attributes === undefined ? null : JSON.stringify(attributes))),
        covariates.map(({ turn }) => turn),
        covariates.map(({ metric_name }) => metric_name),
        covariates.map(({ x }) => x),
      ]);
      if (rows[0]?.revision === revision) return new Set(rows.flatMap(({ turn }) => turn ?? []));
      definitions = undefined;
    }
  }

  /** Assigns in experiments with planned users, call by call while there is room; which of the candidates it stored. */
  async function insertPlanned(query: Query, candidates: readonly Called[]): Promise<ReadonlySet<Called>> {
    const rooms = await query<Room>(LOCK_PLANNED, [candidates.map(({ test_id }) => test_id)]);
    const known = await find(query, candidates);
    const admitted = rooms.flatMap((room) => admit(room, candidates, known));
    const turns = await insert(query, admitted, true);
    for (const { test_id, planned_users, users, planned_users_reached_at } of rooms) {
      const times = admitted.flatMap((one, index) =>
        one.test_id === test_id && turns.has(index + 1) ? [one.assigned_at] : [],
      );
      if (planned_users_reached_at !== null || users + times.length < planned_users) continue;
      await query(REACHED, [test_id, Math.max(...times)]);
      await query("update ab_revision set revision = revision + 1");
    }
    return new Set(admitted.filter((_, index) => turns.has(index + 1)));
  }

  async function insertAll(candidates: readonly Called[]): Promise<ReadonlySet<Called>> {
    const turns = await insert(database.query, candidates, false);
    const won = new Set(candidates.filter((_, index) => turns.has(index + 1)));
    if (won.size === candidates.length) return won;
    const planned = await plannedOf(candidates.filter((candidate) => !won.has(candidate)));
    if (planned.length === 0) return won;
    return new Set([...won, ...(await database.transaction((query) => insertPlanned(query, planned)))]);
  }

  /** Those of experiments with planned users that are not assigned yet. */
  async function plannedOf(candidates: readonly Called[]): Promise<readonly Called[]> {
    const ids = [...new Set(candidates.map(({ test_id }) => test_id))];
    const rows = await database.query<{ test_id: number }>(PLANNED, [ids]);
    const planned = new Set(rows.map(({ test_id }) => test_id));
    return candidates.filter(({ test_id }) => planned.has(test_id));
  }

  /** Undefined for a candidate whose experiment is not there. */
  async function assignAll(candidates: readonly Called[]): Promise<(WonAssignment | undefined)[]> {
    const won = await insertAll(candidates);
    const others = candidates.filter((candidate) => !won.has(candidate));
    // A separate statement: the one before does not see what other transactions committed after it began.
    const known = others.length === 0 ? new Map<string, KnownRow>() : await find(database.query, others);
    const kept = new Set(others.length === 0 ? [] : await existing(others));
    return candidates.map((candidate) => {
      const { test_id, user_id, variant_id, assigned_at } = candidate;
      if (won.has(candidate)) return { user_id, variant_id, assigned_at, created: true, enrolled: true };
      const row = known.get(textOf(candidate));
      if (row !== undefined) {
        return {
          user_id,
          variant_id: row.variant_id,
          assigned_at: row.assigned_at,
          created: false,
          enrolled: true,
        };
      }
      if (!kept.has(test_id)) return undefined;
      return { user_id, variant_id, assigned_at, created: false, enrolled: false };
    });
  }

  async function existing(candidates: readonly Called[]): Promise<number[]> {
    const rows = await database.query<{ id: number }>(EXISTING, [candidates.map(({ test_id }) => test_id)]);
    return rows.map(({ id }) => id);
  }

  const finding = database.grouped(findAll);
  const joining = database.grouped(assignAll);
  const assigning = (candidates: readonly ExperimentCandidate[]) => {
    calls += 1;
    const call = calls;
    return joining(candidates.map((candidate) => ({ ...candidate, call })));
  };
  return {
    findAssignment: async (test_id, user_id) => (await finding([{ test_id, user_id }]))[0],
    findAssignments: async (testIds, user_id) => {
      const found = await finding(testIds.map((test_id) => ({ test_id, user_id })));
      return new Map(
        testIds.flatMap((id, index) => {
          const known = found[index];
          return known === undefined ? [] : [[id, known]];
        }),
      );
    },
    assign: async <const T extends readonly Candidate[]>(test_id: number, candidates: T) => {
      const won = await assigning(candidates.map((candidate) => ({ test_id, ...candidate })));
      const stored = won.flatMap((one) => one ?? []);
      if (stored.length < won.length) throw new Error(`there is no experiment ${test_id} to assign users in`);
      return answersFor(candidates, stored);
    },
    assignUser: assigning,
  };
}
