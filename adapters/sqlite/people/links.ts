import type { Database } from "better-sqlite3";
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
import type { Writer } from "../writer.ts";

const ROWS_A_LINK = 2;

const IDS_OF = `
  select user_id from user_links where person_id = (select person_id from user_links where user_id = ?)`;

/** Returns all ids of the person that an id belongs to, itself included. */
export type IdsOf = (userId: string) => readonly string[];

/** Finds all ids of the person that an id belongs to, itself included. */
export function createIdsOf(db: Database): IdsOf {
  const select = db.prepare<[string], string>(IDS_OF).pluck();
  return (userId) => {
    const ids = select.all(userId);
    return ids.length === 0 ? [userId] : ids;
  };
}

/** Reads links for questions. */
export function createLinkSource(db: Database): LinkSource {
  const all = db.prepare<[], Link>("select user_id, person_id from user_links where user_id <> person_id");
  const idsOf = createIdsOf(db);
  return {
    *all() {
      yield;
      return all.all();
    },
    *idsOf(userId) {
      yield;
      return idsOf(userId);
    },
  };
}

/** Stores links. `onLink` is called when cells that were read before are no longer those of the people. */
export function createLinkStore(
  db: Database,
  writer: Writer,
  onLink: () => void,
): Pick<PeopleStore, "linkUsers"> {
  const select = db.prepare<[string], Link & { linked_at: Instant }>(
    "select * from user_links where user_id = ?",
  );
  const count = db.prepare<[string], number>("select count(*) from user_links where person_id = ?").pluck();
  const insert = db.prepare<[string, string, Instant]>(
    "insert into user_links(user_id, person_id, linked_at) values (?, ?, ?) on conflict do nothing",
  );

  // Writers take turns from `begin` on: no other connection can link either id in between.
  function link({ anonymous_id, user_id, linked_at }: NewLink): LinkOutcome {
    const known = { anonymous: select.get(anonymous_id), user: select.get(user_id) };
    const outcome = judgeLink({ user_id }, known);
    if (outcome !== undefined) return outcome;
    // The person's own row is one of them.
    if ((count.get(user_id) ?? 0) > MAX_LINKS) return { kind: "too_many_links" };
    insert.run(user_id, user_id, linked_at);
    insert.run(anonymous_id, user_id, linked_at);
    onLink();
    return { kind: "linked", linked_at };
  }

  return { linkUsers: (claim) => writer.write(ROWS_A_LINK, () => link(claim)) };
}
