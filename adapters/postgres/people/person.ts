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
    select a.test_id, t.test_name, a.user_id, v.variant_name as variant, ${epochOf("a.assigned_at")} as assigned_at
    from ids join ab_assignments a using (user_id) join ab_tests t on t.id = a.test_id
    join ab_variants v on v.id = a.variant_id
    where ${isKept("a.test_id")} order by a.assigned_at desc, a.test_id desc limit ${MAX_VARIANTS}
  )
  select person_id,
    coalesce((
      select json_agg(json_build_object('anonymous_id', l.user_id, 'linked_at', l.linked_at)
        order by l.linked_at, l.user_id collate "C")
      from user_links l where l.person_id = person.person_id and l.user_id <> l.person_id), '[]') as links,
    coalesce((select json_agg(v order by assigned_at desc, test_id desc) from variants v), '[]') as variants
  from person`;

interface PersonRow {
  readonly person_id: string;
  readonly links: StoredPerson["links"];
  readonly variants: readonly PersonVariant[];
}

/** Reads what is stored about a person besides events and values. */
export const createPersonReader = ({ query }: Database): Pick<PeopleStore, "findPerson"> => ({
  async findPerson(userId) {
    const [row] = await query<PersonRow>(FIND, [userId]);
    return row ?? { person_id: userId, links: [], variants: [] };
  },
});
