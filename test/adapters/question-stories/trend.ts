import { describe, expect, test } from "vitest";
import { messageKey } from "../../../domain/events/message-id.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, asked, eventAt, json, MINUTE, type Store } from "./asked.ts";

const hourly = (changes: Partial<TrendQuestion> = {}): TrendQuestion => ({
  event_types: [],
  measure: "count",
  edges: [AT, AT + HOUR, AT + 2 * HOUR, AT + 3 * HOUR],
  where: [],
  limit: 10,
  ...changes,
});

export function trendStories(store: Store): void {
  describe("trends", () => {
    test("count events from each edge until just before the next, and 0 in empty buckets", async () => {
      const storage = await store(
        eventAt(-1 / MINUTE, "view"),
        eventAt(0, "view"),
        eventAt(60 - 1 / MINUTE, "cart"),
        eventAt(120, "view"),
        eventAt(180, "view"),
      );
      expect(await asked.trend(storage, hourly())).toEqual([
        { event_type: null, total: 3, values: [2, 0, 1] },
      ]);
    });

    test("have a series for each requested type, also without events", async () => {
      const storage = await store(eventAt(0, "view"), eventAt(0, "cart"), eventAt(61, "view"));
      const question = hourly({ event_types: ["view", "never"] });
      expect(await asked.trend(storage, question)).toEqual([
        { event_type: "view", total: 2, values: [1, 1, 0] },
        { event_type: "never", total: 0, values: [0, 0, 0] },
      ]);
    });

    test("count each user once per bucket and once in the total, and no user for anonymous events", async () => {
      const bob = { user_id: "bob" };
      const storage = await store(
        eventAt(0, "view"),
        eventAt(1, "cart"),
        eventAt(2, "view", { user_id: null }),
        eventAt(60, "view"),
        eventAt(61, "view", bob),
        eventAt(62, "view", bob),
      );
      expect(await asked.trend(storage, hourly({ measure: "users" }))).toEqual([
        { event_type: null, total: 2, values: [1, 2, 0] },
      ]);
      expect(await asked.trend(storage, hourly({ measure: "users", event_types: ["cart"] }))).toEqual([
        { event_type: "cart", total: 1, values: [1, 0, 0] },
      ]);
    });

    test("count sessions in the same way as users", async () => {
      const storage = await store(
        eventAt(0, "view", { session_id: "s1" }),
        eventAt(1, "view", { session_id: "s1", user_id: "bob" }),
        eventAt(61, "view", { session_id: "s2" }),
        eventAt(62, "view"),
      );
      expect(await asked.trend(storage, hourly({ measure: "sessions" }))).toEqual([
        { event_type: null, total: 2, values: [1, 1, 0] },
      ]);
    });

    test("count a late event in the hour in which it occurred", async () => {
      const storage = await store(eventAt(61, "view"));
      await storage.appendEvents([eventAt(0, "view", { created_at: AT + 30 * 24 * HOUR })]);
      expect(await asked.trend(storage, hourly())).toEqual([
        { event_type: null, total: 2, values: [1, 1, 0] },
      ]);
    });

    test("count a message id once, in one batch or in two", async () => {
      const message = { message_key: messageKey("m") };
      const storage = await store(eventAt(0, "view", message), eventAt(1, "view", message));
      await storage.appendEvents([eventAt(2, "view", message)]);
      expect(await asked.trend(storage, hourly())).toEqual([
        { event_type: null, total: 1, values: [1, 0, 0] },
      ]);
    });

    test("separate values of different types, and put events without a scalar value into one group", async () => {
      const values = [5, 5, 5, "5", "5", true, "true", null, {}, [5]];
      const events = values.map((plan, minute) => eventAt(minute, "view", json({ plan })));
      const storage = await store(...events, eventAt(60, "view"));
      const series = (value: unknown, total: number, group: object = { kind: "value", value }) => ({
        event_type: null,
        total,
        values: [total, 0, 0],
        group,
      });
      expect(await asked.trend(storage, hourly({ breakdown: "plan" }))).toEqual([
        { event_type: null, total: 4, values: [3, 1, 0], group: { kind: "none" } },
        series(5, 3),
        series("5", 2),
        series("true", 1),
        series(true, 1),
      ]);
    });

    test("merge the groups after the largest, and count each user of them once", async () => {
      const storage = await store(
        ...["a", "a", "b", "c"].map((plan, minute) =>
          eventAt(minute, "view", { ...json({ plan }), user_id: plan === "a" ? `user ${minute}` : "ann" }),
        ),
      );
      const question = hourly({ breakdown: "plan", measure: "users", limit: 1 });
      expect(await asked.trend(storage, question)).toEqual([
        { event_type: null, total: 2, values: [2, 0, 0], group: { kind: "value", value: "a" } },
        { event_type: null, total: 1, values: [1, 0, 0], group: { kind: "other" } },
      ]);
    });

    test("can be filtered by one of several values per property", async () => {
      const plans = ["pro", "free", 5, "5"];
      const storage = await store(...plans.map((plan) => eventAt(0, "view", json({ plan, new: true }))));
      const total = async (where: TrendQuestion["where"]) =>
        (await asked.trend(storage, hourly({ where }))).map((series) => series.total);
      expect(await total([{ property: "plan", values: ["pro"] }])).toEqual([1]);
      expect(await total([{ property: "plan", values: ["5", 5] }])).toEqual([2]);
      expect(await total([{ property: "plan", values: [5] }])).toEqual([1]);
      expect(await total([{ property: "new", values: ["true"] }])).toEqual([0]);
      const both = [
        { property: "new", values: [true] },
        { property: "plan", values: ["free"] },
      ];
      expect(await total(both)).toEqual([1]);
      expect(await total([{ property: "plan.x", values: ["pro"] }])).toEqual([0]);
    });

    test("can be filtered by comparisons: bounds, not, contains, set and not_set", async () => {
      const kinds: unknown[] = [10, 9.5, -1, "10", "Tenfold", null, [10], { ten: 10 }, true];
      const events = kinds.map((size) => eventAt(0, "view", json({ size })));
      const storage = await store(...events, eventAt(0, "view", json({})), eventAt(0, "view"));
      const total = async (...where: TrendQuestion["where"]) =>
        (await asked.trend(storage, hourly({ where })))[0]?.total;
      const property = "size";
      expect(await total({ property, operator: "gte", operand: 9.5 })).toBe(2);
      expect(await total({ property, operator: "gt", operand: 9.5 })).toBe(1);
      expect(await total({ property, operator: "lte", operand: 9.5 })).toBe(2);
      expect(await total({ property, operator: "lt", operand: 9.5 })).toBe(1);
      expect(await total({ property, operator: "contains", operand: "ten" })).toBe(1);
      expect(await total({ property, operator: "not", operand: ["10", 10] })).toBe(9);
      expect(await total({ property, operator: "set" })).toBe(8);
      expect(await total({ property, operator: "not_set" })).toBe(3);
      const within = { property, operator: "gte", operand: -1 } as const;
      expect(await total(within, { property, operator: "lt", operand: 10 })).toBe(2);
    });
  });
}
