import { describe, expect, test, vi } from "vitest";
import type { Verification } from "../../adapters/rollups/verification/verify.ts";
import type { NewEvent } from "../../domain/events/event.ts";
import { DAY } from "../../domain/time.ts";
import type { Reopen } from "./expiry-contract.ts";
import { AT, eventAt } from "./question-stories/asked.ts";

/** A database that a storage has closed. */
export interface Damageable {
  open: Reopen;
  run(sql: string): Promise<void>;
  verify(): Promise<Verification | undefined>;
}

const EVENTS: readonly NewEvent[] = Array.from({ length: 60 }, (_, n) =>
  eventAt(n % 2 === 0 ? 0 : DAY, n % 3 === 0 ? "buy" : "view", {
    user_id: n % 7 === 0 ? null : `user ${n % 5}`,
    properties: JSON.stringify({ plan: n % 4 === 0 ? "pro" : "free", size: n }),
  }),
);

const HOUR_TEXT = new Date(AT).toISOString().slice(0, 13);

async function filled({ open }: Damageable): Promise<void> {
  const storage = await open();
  await storage.appendEvents(EVENTS);
  await storage.linkUsers({ anonymous_id: "user 1", user_id: "user 2", linked_at: AT });
  await storage.eventTypes();
  await vi.waitUntil(async () => (await storage.figures()).eventsNotInRollups === 0, { timeout: 20_000 });
  await storage.close();
}

/** SQL that damages one row, and what differs then. */
const DAMAGES: readonly (readonly [table: string, sql: string, what: RegExp])[] = [
  ["event_types", "update event_types set count = count + 1 where event_type = 'buy'", /^events of "buy"$/],
  [
    "event_types",
    "update event_types set first_seen = first_seen - 1 where event_type = 'buy'",
    /^events of "buy"$/,
  ],
  [
    "event_hours",
    "update event_hours set hours = (select max(hours) from event_hours h where h.type_id = 0)",
    /^events of "buy" in the hour /,
  ],
  [
    "event_hours",
    "delete from event_hours where type_id = 0",
    new RegExp(`^events of all types in the hour ${HOUR_TEXT}$`),
  ],
  [
    "event_visitors",
    "delete from event_visitors where type_id = 0",
    new RegExp(`^users of all types in the hour ${HOUR_TEXT}$`),
  ],
  [
    "event_postings",
    "delete from event_postings where type_id = (select id from event_types where event_type = 'view')",
    /^times and users of the events of "view" in the hour /,
  ],
  ["event_users", "update event_users set number = 99 where number = 1", /^users of all types in the hour /],
  [
    "event_properties",
    "update event_properties set name = '\"plane\"' where name = '\"plan\"'",
    /^events of "buy" with the property "plane"$/,
  ],
  [
    "event_properties",
    "delete from event_properties where name = '\"plan\"'",
    /^events of "buy" with the property "plan"$/,
  ],
  [
    "event_values",
    "update event_values set number = 3 - number where value in ('\"pro\"', '\"free\"')",
    /^values of "plan" of "buy" in the hour /,
  ],
  [
    "event_value_hours",
    "delete from event_value_hours",
    new RegExp(`^values of "plan" of "buy" in the hour ${HOUR_TEXT}$`),
  ],
];

/** Contract for the comparison of all rollups with the events. `create` returns a new, empty database. */
export function verificationContract(name: string, create: () => Promise<Damageable>): void {
  describe(`the rollups of ${name}, compared with the events`, () => {
    test("are right where nothing was changed by hand, with linked ids and after an erasure too", async () => {
      const database = await create();
      await filled(database);
      expect(await database.verify()).toEqual({
        events: EVENTS.length,
        first: [],
        all: 0,
        expired: 0,
        damaged: [],
      });
      const storage = await database.open();
      await storage.eraseUser({ user_id: "user 3", receipt: "one", requested_at: AT });
      await storage.close();
      const left = EVENTS.filter(({ user_id }) => user_id !== "user 3").length;
      expect(await database.verify()).toEqual({ events: left, first: [], all: 0, expired: 0, damaged: [] });
    });

    test.each(DAMAGES)("differ where a row of %s was changed: %s", async (_table, sql, what) => {
      const database = await create();
      await filled(database);
      await database.run(sql);
      const found = await database.verify();
      expect(found?.first.map((difference) => difference.what)).toContainEqual(expect.stringMatching(what));
    });

    test("differ where an event was deleted with SQL, and where one was changed", async () => {
      const database = await create();
      await filled(database);
      await database.run(
        "delete from events where id = (select min(id) from events where event_type = 'buy')",
      );
      const found = await database.verify();
      const hour = `in the hour ${HOUR_TEXT}`;
      expect(found?.first).toContainEqual({ what: `events of "buy" ${hour}`, inRollups: 10, inEvents: 9 });
      await database.run("update events set user_id = 'user 4' where user_id = 'user 1'");
      const again = await database.verify();
      expect(again?.first).toContainEqual({
        what: `times and users of the events of "view" ${hour}`,
        inRollups: 20,
        inEvents: 20,
      });
    });

    test("are right where events have expired, and counts that were damaged by hand are found", async () => {
      const database = await create();
      await filled(database);
      const keeping = { days: 1, byType: {}, counts: true };
      const storage = await database.open({ keeping, now: () => AT + 2 * DAY });
      await vi.waitUntil(async () => (await storage.check()).expiry?.pending === false, { timeout: 20_000 });
      await storage.close();
      const kept = { events: EVENTS.length / 2, first: [], all: 0, expired: EVENTS.length / 2 };
      expect(await database.verify()).toEqual({ ...kept, damaged: [] });
      await database.run("update event_kept_counts set counts = '[1, 2]' where event_type = 'buy'");
      const damaged = [`${HOUR_TEXT.slice(0, 10)}, "buy"`];
      expect(await database.verify()).toEqual({ ...kept, damaged });
    });

    test("are not compared while a user is being erased, or before they are built", async () => {
      const database = await create();
      await filled(database);
      await database.run("insert into erasing(user_id, receipt, alias) values ('user 1', 'one', 'alias')");
      expect(await database.verify()).toBeUndefined();
      await database.run("delete from erasing");
      await database.run("update event_rollup set format = 0");
      expect(await database.verify()).toBeUndefined();
    });
  });
}
