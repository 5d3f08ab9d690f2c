import { describe, expect, onTestFinished, test } from "vitest";
import type { EventPage } from "../../domain/reports/event-list.ts";
import type { Storage } from "../../domain/storage.ts";
import { HOUR } from "../../domain/time.ts";
import { AT, eventAt } from "./question-stories/asked.ts";

/** A storage whose database another program can write to. */
export interface Shared {
  readonly storage: Storage;
  execute(sql: string): Promise<void>;
}

const page: EventPage = { event_types: [], from: AT, to: AT + HOUR, where: [], limit: 100 };
const users = { event_types: [], measure: "users" as const, edges: [AT, AT + HOUR], where: [], limit: 1 };
const total = (count: number) => [{ event_type: null, total: count, values: [count] }];

// Uses only the columns of the specification.
const INSERT = `
  insert into events(event_type, user_id, session_id, properties, created_at) values
    ('view', 'bob', 's', '{"plan":"pro"}', '2026-11-22T10:30:00Z'),
    ('view', 'cem', 's', '{"plan":"free"}', '2026-11-22T10:40:00Z')`;

/** The promise of every engine about rows that another program inserts while the server runs. */
export function foreignRows(name: string, open: () => Promise<Shared>): void {
  describe(`${name} rows inserted by another program`, () => {
    async function shared(): Promise<Shared> {
      const opened = await open();
      onTestFinished(() => opened.storage.close());
      await opened.storage.appendEvents([eventAt(0, "view"), eventAt(1, "cart")]);
      return opened;
    }

    test("appear at their created_at in lists, reports and the event types", async () => {
      const { storage, execute } = await shared();
      await execute(INSERT);
      const listed = await storage.listEvents(page);
      expect(listed.map(({ user_id, occurred_at }) => [user_id, occurred_at])).toEqual([
        ["cem", AT + 40 * 60_000],
        ["bob", AT + 30 * 60_000],
        ["ann", AT + 60_000],
        ["ann", AT],
      ]);
      const bobs = await storage.listEvents({ ...page, user_id: "bob" });
      expect(bobs).toEqual([listed[1]]);
      const trend = await storage.trend(users, { verify: true });
      expect(trend).toEqual({ source: "rollup", value: total(3), recomputed: total(3) });
      const types = await storage.eventTypes({ verify: true });
      expect(types.value).toEqual(types.recomputed);
      expect(types.value.map(({ event_type, count }) => [event_type, count])).toEqual([
        ["view", 3],
        ["cart", 1],
      ]);
    });

    test("are counted exactly once while the server stores events", async () => {
      const { storage, execute } = await shared();
      for (let turn = 1; turn <= 5; turn += 1) {
        const stored = [eventAt(turn, "view", { user_id: `user ${turn}` })];
        await Promise.all([execute(INSERT), storage.appendEvents(stored)]);
        const { value, recomputed } = await storage.trend(users, { verify: true });
        expect(value).toEqual(recomputed);
        expect(value).toEqual(total(3 + turn));
        const [{ count } = { count: 0 }] = (await storage.eventTypes()).value;
        expect(count).toBe(1 + 3 * turn);
      }
    });
  });
}
