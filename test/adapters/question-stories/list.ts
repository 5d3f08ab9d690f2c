import { describe, expect, test } from "vitest";
import type { EventPage } from "../../../domain/reports/event-list.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, asked, eventAt, json, MINUTE, type Store } from "./asked.ts";

const page = (changes: Partial<EventPage> = {}): EventPage => ({
  event_types: [],
  from: AT - 24 * HOUR,
  to: AT + 24 * HOUR,
  where: [],
  limit: 100,
  ...changes,
});

export function listStories(store: Store): void {
  describe("event types", () => {
    test("are empty without events", async () => {
      expect(await asked.types(await store())).toEqual([]);
    });

    test("are sorted by frequency, with first and last time and the kinds of their property values", async () => {
      const storage = await store(
        eventAt(5, "cart"),
        eventAt(3, "view", json({ plan: "pro", size: 1 })),
        eventAt(-9, "view", json({ plan: null, tags: [], of: { plan: 1 } })),
        eventAt(4, "buy", json({})),
        eventAt(6, "view", json({ plan: "free", new: false })),
      );
      const never = { count: 1, properties: [], may_have_more_properties: false };
      const kinds = (value_types: object, name: string) => ({ name, value_types });
      expect(await asked.types(storage)).toEqual([
        {
          event_type: "view",
          count: 3,
          first_seen: AT - 9 * MINUTE,
          last_seen: AT + 6 * MINUTE,
          properties: [
            kinds({ string: 2, null: 1 }, "plan"),
            kinds({ boolean: 1 }, "new"),
            kinds({ object: 1 }, "of"),
            kinds({ number: 1 }, "size"),
            kinds({ array: 1 }, "tags"),
          ],
          may_have_more_properties: false,
        },
        { event_type: "buy", first_seen: AT + 4 * MINUTE, last_seen: AT + 4 * MINUTE, ...never },
        { event_type: "cart", first_seen: AT + 5 * MINUTE, last_seen: AT + 5 * MINUTE, ...never },
      ]);
    });
  });

  describe("lists", () => {
    test("have the newest event first, with all stored fields", async () => {
      const storage = await store();
      const first = eventAt(0, "view", {
        session_id: "s1",
        ...json({ plan: "pro" }),
        created_at: AT + 1_234,
        client_timestamp: AT + 3 * HOUR,
      });
      const late = eventAt(-60, "cart", { user_id: null, created_at: AT + 5_678 });
      const answers = await storage.appendEvents([first, late]);
      const { message_key: _none, ...shown } = first;
      const { message_key: _neither, ...shownLate } = late;
      expect(await asked.list(storage, page())).toEqual([
        { ...shown, id: answers[0].id },
        { ...shownLate, client_timestamp: null, id: answers[1].id },
      ]);
    });

    test("continue after a cursor between events of the same instant", async () => {
      const storage = await store(
        ...Array.from({ length: 5 }, () => eventAt(0, "view")),
        eventAt(-1, "view"),
      );
      const all = await asked.list(storage, page());
      expect(all.map(({ occurred_at }) => (occurred_at - AT) / MINUTE)).toEqual([0, 0, 0, 0, 0, -1]);
      const [, , third] = all;
      expect(await asked.list(storage, page({ after: third, limit: 2 }))).toEqual(all.slice(3, 5));
      expect(await asked.list(storage, page({ after: all.at(-1) }))).toEqual([]);
    });

    test("can be filtered to events without a property", async () => {
      const storage = await store(
        eventAt(0, "view", json({ plan: "pro" })),
        eventAt(1, "view", json({ plan: null })),
        eventAt(2, "view"),
      );
      const listed = await asked.list(storage, page({ where: [{ property: "plan", operator: "not_set" }] }));
      expect(listed.map(({ properties }) => properties)).toEqual([null, '{"plan":null}']);
    });

    test("can be filtered by type, user, session, time and properties at once", async () => {
      const wanted = { user_id: "bob", session_id: "s1", ...json({ plan: "pro" }) };
      const storage = await store(
        eventAt(0, "view", wanted),
        eventAt(0, "buy", wanted),
        eventAt(0, "view", { ...wanted, user_id: "ann" }),
        eventAt(0, "view", { ...wanted, session_id: null }),
        eventAt(0, "view", { ...wanted, ...json({ plan: "free" }) }),
        eventAt(1, "view", wanted),
      );
      const question = page({
        event_types: ["view", "cart"],
        user_id: "bob",
        session_id: "s1",
        to: AT + MINUTE,
        where: [{ property: "plan", values: ["pro"] }],
      });
      expect((await asked.list(storage, question)).map((event) => [event.event_type, event.user_id])).toEqual(
        [["view", "bob"]],
      );
    });
  });
}
