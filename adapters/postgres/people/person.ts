import type { PersonValue } from "../../../domain/people/personal-data.ts";
import { MAX_VARIANTS, type PersonVariant, type StoredPerson } from "../../../domain/people/profile.ts";
import type { PeopleStore } from "../../../domain/storage.ts";
import type { Database } from "../database.ts";
import { isKept } from "../experiments/deletions.ts";
import { epochOf } from "../experiments/expressions.ts";

// One statement: another process may erase the person between two.
const FIND = `
  with person as (
    select coalesce((select person_id from user_links where user_id = $1), $1) as person_id
  ),
  ids as (
    select person_id as user_id from person
    union select l.user_id from user_links l join person using (person_id)
  ),
  variants as (
    select a.test_id, t.test_name, a.user_id, v.variant_name as variant, ${epochOf("a.assigned_at")} as assigned_at,
      s.attributes
    from ids join ab_assignments a using (user_id) join ab_tests t on t.id = a.test_id
    join ab_variants v on v.id = a.variant_id
    left join ab_attributes s on s.user_id = a.user_id and s.test_id = a.test_id
    where ${isKept("a.test_id")} order by a.assigned_at desc, a.test_id desc limit ${MAX_VARIANTS}
  )
  select person_id,
    coalesce((
      select json_agg(json_build_object('anonymous_id', l.user_id, 'linked_at', l.linked_at)
        order by l.linked_at, l.user_id collate "C")
      from user_links l where l.person_id = person.person_id and l.user_id <> l.person_id), '[]') as links,
    coalesce((select json_agg(v order by assigned_at desc, test_id desc) from variants v), '[]') as variants
  from person`;

const IDS_IN_A_SLICE = 10_000;

// The table has no index by user, which each value would pay for: a slice of its ids is gone through at a time.
const VALUES = `
  with slice as (
    select id, test_id, variant_id, user_id, metric_name, value, occurred_at from ab_metrics
    where id > $1 order by id limit ${IDS_IN_A_SLICE}
  ),
  found as (
    select m.id, m.test_id, m.user_id, v.variant_name as variant, m.metric_name, m.value, m.occurred_at
    from slice m join ab_variants v on v.id = m.variant_id
    where ($2::text[] is null or m.user_id = any($2)) and ${isKept("m.test_id")}
  )
  select (select count(*) from slice)::int as ids, (select max(id) from slice) as last,
    coalesce((select json_agg(f order by f.id) from found f), '[]') as values`;

interface SliceRow {
  readonly ids: number;
  readonly last: number | null;
  readonly values: readonly PersonValue[];
}

interface PersonRow {
  readonly person_id: string;
  readonly links: StoredPerson["links"];
  readonly variants: readonly PersonVariant[];
}

/** Reads what is stored about a person besides events and values. */
export const createPersonReader = ({ query }: Database): Pick<PeopleStore, "findPerson" | "listValues"> => ({
  async findPerson(userId) {
    const [row] = await query<PersonRow>(FIND, [userId]);
    return row ?? { person_id: userId, links: [], variants: [] };
  },

  async listValues({ user_ids = null, after = Number.MIN_SAFE_INTEGER }) {
    const [row] = await query<SliceRow>(VALUES, [after, user_ids]);
    const isLast = row === undefined || row.ids < IDS_IN_A_SLICE;
    return { values: row?.values ?? [], through: isLast ? undefined : (row.last ?? undefined) };
  },
});
