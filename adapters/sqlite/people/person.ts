import type { Database } from "better-sqlite3";
import type { PersonValue } from "../../../domain/people/personal-data.ts";
import { MAX_VARIANTS, type PersonVariant, type StoredPerson } from "../../../domain/people/profile.ts";
import type { PeopleStore, ValueSlice } from "../../../domain/storage.ts";
import { reading } from "../failures.ts";
import { fromSql } from "../instants.ts";

type LinkRow = StoredPerson["links"][number] & { readonly person_id: string };
type VariantRow = Omit<PersonVariant, "assigned_at"> & { readonly assigned_at: string };

// Some milliseconds.
const IDS_IN_A_SLICE = 10_000;

/** Reads what is stored about a person besides events and values. */
export function createPersonReader(db: Database): Pick<PeopleStore, "findPerson" | "listValues"> {
  const selectLinks = db.prepare<[string], LinkRow>(
    `select user_id as anonymous_id, person_id, linked_at from user_links
     where person_id = (select person_id from user_links where user_id = ?) and user_id <> person_id
     order by linked_at, user_id`,
  );
  const selectVariants = db.prepare<[string], VariantRow>(
    `select a.test_id, t.test_name, a.user_id, v.variant_name as variant, a.assigned_at, s.attributes
     from ab_assignments a join ab_tests t on t.id = a.test_id join ab_variants v on v.id = a.variant_id
     left join ab_attributes s on s.test_id = a.test_id and s.user_id = a.user_id
     where a.user_id in (select value from json_each(?))
     order by a.assigned_at desc, a.test_id desc limit ${MAX_VARIANTS}`,
  );

  // The table has no index by user, which each value would pay for: a slice of its ids is gone through at a time.
  const selectValues = db.prepare<[number, number, string | null, string | null], PersonValue>(
    `select m.id, m.test_id, m.user_id, v.variant_name as variant, m.metric_name, m.value, m.occurred_at
     from ab_metrics m join ab_tests t on t.id = m.test_id join ab_variants v on v.id = m.variant_id
     where m.id > ? and m.id <= ? and (? is null or m.user_id in (select value from json_each(?))) order by m.id`,
  );
  const selectNewestValue = db.prepare<[], number>("select coalesce(max(id), 0) from ab_metrics").pluck();

  function valuesAfter(after: number, userIds: string | null): ValueSlice {
    const through = after + IDS_IN_A_SLICE;
    const values = selectValues.all(after, through, userIds, userIds);
    return { values, through: through < (selectNewestValue.get() ?? 0) ? through : undefined };
  }

  // One snapshot: another process may erase the person between the two statements.
  const read = db.transaction((userId: string): StoredPerson => {
    const rows = selectLinks.all(userId);
    const person_id = rows[0]?.person_id ?? userId;
    const ids = [person_id, ...rows.map(({ anonymous_id }) => anonymous_id)];
    return {
      person_id,
      links: rows.map(({ anonymous_id, linked_at }) => ({ anonymous_id, linked_at })),
      variants: selectVariants
        .all(JSON.stringify(ids))
        .map((row) => ({ ...row, assigned_at: fromSql(row.assigned_at) })),
    };
  });

  return {
    findPerson: (userId) => reading(() => read(userId)),
    listValues: ({ user_ids, after = 0 }) =>
      reading(() => valuesAfter(after, user_ids === undefined ? null : JSON.stringify(user_ids))),
  };
}
