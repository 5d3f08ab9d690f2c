import { describe, expect, test } from "vitest";
import type { FunnelCount, FunnelQuestion } from "../../../domain/reports/funnel.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, asked, eventAt, json, MINUTE, type Store } from "./asked.ts";

const step = (event_type: string, where: FunnelQuestion["steps"][number]["where"] = []) => ({
  event_type,
  where,
});

const toBuying = (changes: Partial<FunnelQuestion> = {}): FunnelQuestion => ({
  steps: [step("view"), step("cart"), step("buy")],
  order: "ordered",
  window_ms: 30 * MINUTE,
  from: AT,
  to: AT + 24 * HOUR,
  limit: 10,
  ...changes,
});

/** Users and median milliseconds of each step. */
const stepsOf = ({ steps }: FunnelCount) => steps.map(({ users, median_ms }) => [users, median_ms]);

export function funnelStories(store: Store): void {
  describe("funnels", () => {
    test("count users by step, with the median time since the previous step", async () => {
      const storage = await store(
        ...[0, 10, 20].map((minute, index) => eventAt(minute, ["view", "cart", "buy"][index] ?? "")),
        eventAt(0, "view", { user_id: "bob" }),
        eventAt(5, "cart", { user_id: "bob" }),
        eventAt(0, "view", { user_id: "cem" }),
        eventAt(1, "buy", { user_id: "cem" }),
        eventAt(1, "cart", { user_id: "dan" }),
        eventAt(1, "view", { user_id: null }),
      );
      expect(await asked.funnel(storage, toBuying())).toEqual({
        steps: [
          { users: 3, median_ms: null },
          { users: 2, median_ms: 7.5 * MINUTE },
          { users: 1, median_ms: 10 * MINUTE },
        ],
      });
    });

    test("have 0 users and no median without events", async () => {
      const storage = await store();
      const steps = [0, 0, 0].map((users) => ({ users, median_ms: null }));
      expect(await asked.funnel(storage, toBuying({ breakdown: "plan" }))).toEqual({ steps, groups: [] });
    });

    test("use the best attempt of a user: the one with the most steps, then the earliest end, then the latest start", async () => {
      const storage = await store(
        eventAt(0, "view"),
        eventAt(5, "cart"),
        eventAt(100, "view"),
        eventAt(103, "view"),
        eventAt(110, "cart"),
        eventAt(111, "cart"),
        eventAt(112, "buy"),
        eventAt(200, "view"),
        eventAt(201, "cart"),
        eventAt(202, "buy"),
      );
      expect(stepsOf(await asked.funnel(storage, toBuying()))).toEqual([
        [1, null],
        [1, 7 * MINUTE],
        [1, 2 * MINUTE],
      ]);
    });

    test("accept a last step exactly at the end of the window, and none after it", async () => {
      const events = [eventAt(0, "view"), eventAt(10, "cart"), eventAt(30, "buy")];
      const storage = await store(...events);
      const users = async (window_ms: number) =>
        (await asked.funnel(storage, toBuying({ window_ms }))).steps.map((one) => one.users);
      expect(await users(30 * MINUTE)).toEqual([1, 1, 1]);
      expect(await users(30 * MINUTE - 1)).toEqual([1, 1, 0]);
    });

    test("ignore events outside the range", async () => {
      const storage = await store(eventAt(0, "view"), eventAt(10, "cart"), eventAt(20, "buy"));
      const users = async (from: number, to: number) => {
        const range = { from: AT + from * MINUTE, to: AT + to * MINUTE };
        return (await asked.funnel(storage, toBuying(range))).steps.map((one) => one.users);
      };
      expect(await users(0, 20)).toEqual([1, 1, 0]);
      expect(await users(1, 30)).toEqual([0, 0, 0]);
    });

    test("order events of the same instant by id", async () => {
      const storage = await store();
      const kinds = ["view", "cart", "buy"];
      await storage.appendEvents(kinds.map((type) => eventAt(0, type)));
      await storage.appendEvents(kinds.toReversed().map((type) => eventAt(0, type, { user_id: "bob" })));
      expect(stepsOf(await asked.funnel(storage, toBuying()))).toEqual([
        [2, null],
        [1, 0],
        [1, 0],
      ]);
    });

    test("in strict order allow no other event between two steps", async () => {
      const storage = await store(
        eventAt(0, "view"),
        eventAt(1, "help"),
        eventAt(2, "cart"),
        eventAt(0, "view", { user_id: "bob" }),
        eventAt(1, "cart", { user_id: "bob" }),
      );
      expect(stepsOf(await asked.funnel(storage, toBuying({ order: "strict" })))).toEqual([
        [2, null],
        [1, MINUTE],
        [0, null],
      ]);
    });

    test("in any order count the completed steps", async () => {
      const storage = await store(
        eventAt(0, "buy"),
        eventAt(3, "view"),
        eventAt(10, "cart"),
        eventAt(0, "cart", { user_id: "bob" }),
        eventAt(40, "buy", { user_id: "bob" }),
      );
      expect(stepsOf(await asked.funnel(storage, toBuying({ order: "unordered" })))).toEqual([
        [2, null],
        [1, 3 * MINUTE],
        [1, 7 * MINUTE],
      ]);
    });

    test.each(["ordered", "strict", "unordered"] as const)(
      "use an event for one step only, even if it matches several (%s)",
      async (order) => {
        const storage = await store(
          eventAt(0, "view", json({ n: 1 })),
          eventAt(0, "view", { ...json({ n: 1 }), user_id: "bob" }),
          eventAt(2, "view", { ...json({ n: 2 }), user_id: "bob" }),
        );
        const steps = [step("view"), step("view", [{ property: "n", values: [1, 2] }])];
        expect(stepsOf(await asked.funnel(storage, toBuying({ steps, order })))).toEqual([
          [2, null],
          [1, 2 * MINUTE],
        ]);
      },
    );

    test("are broken down by the property of the first step", async () => {
      const storage = await store(
        ...["free", "pro"].map((plan, minute) =>
          eventAt(minute, plan === "free" ? "view" : "cart", json({ plan })),
        ),
        eventAt(0, "view", { ...json({ plan: "pro" }), user_id: "bob" }),
        eventAt(0, "view", { user_id: "cem" }),
      );
      const counts = (first: number, second: number, median_ms: number | null) => [
        { users: first, median_ms: null },
        { users: second, median_ms },
        { users: 0, median_ms: null },
      ];
      expect(await asked.funnel(storage, toBuying({ breakdown: "plan", limit: 1 }))).toEqual({
        steps: counts(3, 1, MINUTE),
        groups: [
          { group: { kind: "value", value: "free" }, steps: counts(1, 1, MINUTE) },
          { group: { kind: "other" }, steps: counts(2, 0, null) },
        ],
      });
    });
  });
}
