import type {
  Assignment,
  AssignmentStore,
  ExperimentCandidate,
  ForEach,
  KnownAssignment,
  WonAssignment,
} from "../../domain/storage.ts";
import type { Database } from "./database.ts";
import { isKept } from "./deletions.ts";
import { ALL_DAYS, anySlice, countUsers, dayOf, epochOf, periodAt, timeOf } from "./tallies.ts";

type Key = Pick<ExperimentCandidate, "test_id" | "user_id">;
type KnownRow = Key & KnownAssignment;

// Of several candidates for one user the first counts. Sorted, so that two processes that assign the same users lock
// them in the same order and never deadlock. An experiment that was deleted takes no users.
const INSERT = `
  with candidate as (
    select distinct on (test_id, user_id) *
    from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])
      with ordinality as c(test_id, user_id, variant_id, assigned_at, turn)
    where exists (select from ab_tests t where t.id = c.test_id) and ${isKept("c.test_id")}
    order by test_id, user_id, turn
  ),
  stored as (
    insert into ab_assignments(user_id, test_id, variant_id, assigned_at, period)
    select user_id, test_id, variant_id, ${timeOf("assigned_at")}, ${periodAt("c.test_id", "c.assigned_at")}
    from candidate c order by user_id, test_id
    on conflict (user_id, test_id) do nothing
    returning user_id, test_id, period
  ),
  won as (select c.*, s.period from candidate c join stored s using (user_id, test_id)),
  counted as (
    insert into ab_cell_users as u (test_id, day, variant_id, period, slice, users)
    select test_id, each.day, variant_id, period, $5::integer, count(*)
    from won cross join lateral (values (${dayOf("assigned_at")}), (${ALL_DAYS})) as each(day)
    group by test_id, each.day, variant_id, period order by test_id, each.day, variant_id, period
    on conflict (test_id, day, variant_id, period, slice) do update set users = u.users + excluded.users
  ),
  ${countUsers("$5")}
  select turn from won`;

const FIND = `
  select k.test_id, k.user_id, coalesce(a.variant_id, f.variant_id) as variant_id, a.user_id is null as forced,
    coalesce(${epochOf("a.assigned_at")}, f.forced_at) as assigned_at
  from unnest($1::bigint[], $2::text[]) as k(test_id, user_id)
  left join ab_assignments a on a.user_id = k.user_id and a.test_id = k.test_id
  left join ab_forced f on f.test_id = k.test_id and f.user_id = k.user_id
  where coalesce(a.variant_id, f.variant_id) is not null and ${isKept("k.test_id")}`;

const textOf = ({ test_id, user_id }: Key): string => `${test_id} ${user_id}`;

export function createAssignmentStore(database: Database): AssignmentStore {
  async function find(keys: readonly Key[]): Promise<ReadonlyMap<string, KnownRow>> {
    const asked = new Map(keys.map((key) => [textOf(key), key]));
    const distinct = [...asked.values()];
    const rows = await database.query<KnownRow>(FIND, [
      distinct.map(({ test_id }) => test_id),
      distinct.map(({ user_id }) => user_id),
    ]);
    return new Map(rows.map((row) => [textOf(row), row]));
  }

  async function findAll(keys: readonly Key[]): Promise<(KnownAssignment | undefined)[]> {
    const found = await find(keys);
    return keys.map((key) => {
      const row = found.get(textOf(key));
      if (row === undefined) return undefined;
      const { user_id, variant_id, assigned_at, forced } = row;
      return { user_id, variant_id, assigned_at, forced };
    });
  }

  /** The positions, from 1, of the candidates that were stored. */
  async function insert(candidates: readonly ExperimentCandidate[]): Promise<ReadonlySet<number>> {
    const rows = await database.query<{ turn: number }>(INSERT, [
      candidates.map(({ test_id }) => test_id),
      candidates.map(({ user_id }) => user_id),
      candidates.map(({ variant_id }) => variant_id),
      candidates.map(({ assigned_at }) => assigned_at),
      anySlice(),
    ]);
    return new Set(rows.map(({ turn }) => turn));
  }

  /** Undefined for a candidate whose experiment is not there. */
  async function assignAll(
    candidates: readonly ExperimentCandidate[],
  ): Promise<(WonAssignment | undefined)[]> {
    const won = await insert(candidates);
    const others = candidates.filter((_, index) => !won.has(index + 1));
    // A separate statement: the one before does not see what other transactions committed after it began.
    const known = others.length === 0 ? new Map() : await find(others);
    return candidates.map(({ test_id, user_id, variant_id, assigned_at }, index) => {
      if (won.has(index + 1)) return { user_id, variant_id, assigned_at, created: true };
      const row = known.get(textOf({ test_id, user_id }));
      if (row === undefined) return undefined;
      return { user_id, variant_id: row.variant_id, assigned_at: row.assigned_at, created: false };
    });
  }

  const finding = database.grouped(findAll);
  const assigning = database.grouped(assignAll);
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
    assign: async <const T extends readonly Assignment[]>(test_id: number, candidates: T) => {
      const won = await assigning(candidates.map((candidate) => ({ test_id, ...candidate })));
      if (won.includes(undefined)) throw new Error(`there is no experiment ${test_id} to assign users in`);
      return won as unknown as ForEach<T, WonAssignment>;
    },
    assignUser: assigning,
  };
}
