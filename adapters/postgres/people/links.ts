import {
  judgeLink,
  type Link,
  type LinkOutcome,
  MAX_LINKS,
  type NewLink,
} from "../../../domain/people/links.ts";
import type { PeopleStore } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import type { LinkSource } from "../../rollups/store.ts";
import { waitFor } from "../../rollups/work.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";

const ALL = "select user_id, person_id from user_links where user_id <> person_id";

const IDS_OF = `
  select user_id from user_links where person_id = (select person_id from user_links where user_id = $1)`;

/** All ids of the person that an id belongs to, itself included. */
export async function idsOf(query: Query, userId: string): Promise<readonly string[]> {
  const rows = await query<Pick<Link, "user_id">>(IDS_OF, [userId]);
  return rows.length === 0 ? [userId] : rows.map(({ user_id }) => user_id);
}

/** Reads links within the transaction of the query. */
export const createLinkSource = (query: Query): LinkSource => ({
  all: () => waitFor(query<Link>(ALL)),
  idsOf: (userId) => waitFor(idsOf(query, userId)),
});

// The row of the user id comes first. A transaction that links one of these ids in another way waits at the row that both
// insert, and then finds it stored.
const INSERT = `
  insert into user_links(user_id, person_id, linked_at) values ($1, $2, $3) on conflict (user_id) do nothing
  returning user_id`;

const SELECT = "select user_id, person_id, linked_at from user_links where user_id = any($1::text[])";

const COUNT = "select count(*) as ids from user_links where person_id = $1";

/** Thrown to roll back the rows of a claim that contradicts another one. */
class Contradiction extends Error {
  readonly outcome: LinkOutcome;

  constructor(outcome: LinkOutcome) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

async function store(query: Query, { anonymous_id, user_id, linked_at }: NewLink): Promise<LinkOutcome> {
  await query(INSERT, [user_id, user_id, linked_at]);
  const inserted = await query(INSERT, [anonymous_id, user_id, linked_at]);
  const rows = await query<Link & { linked_at: Instant }>(SELECT, [[anonymous_id, user_id]]);
  const outcome = judgeLink(
    { user_id },
    {
      anonymous: rows.find((row) => row.user_id === anonymous_id),
      user: rows.find((row) => row.user_id === user_id),
    },
  );
  if (outcome?.kind !== "known") throw new Contradiction(outcome ?? { kind: "anonymous_id_taken" });
  const [counted] = await query<{ ids: number }>(COUNT, [user_id]);
  // The person's own row is one of them.
  if ((counted?.ids ?? 0) > MAX_LINKS + 1) throw new Contradiction({ kind: "too_many_links" });
  return inserted.length === 0 ? outcome : { kind: "linked", linked_at };
}

/** Stores links. */
export const createLinkStore = (database: Database): Pick<PeopleStore, "linkUsers"> => ({
  linkUsers: (link) =>
    database
      .transaction((query) => store(query, link))
      .catch((error) => {
        if (error instanceof Contradiction) return error.outcome;
        throw error;
      }),
});
