import { describe, expect, onTestFinished, test } from "vitest";
import { ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import type { Storage } from "../../domain/storage.ts";

const AT = Date.parse("2026-11-22T10:00:00.123Z");
const USERS = ["ann", "bob", "cyd", "dan", "eve"];

const input = ExperimentInput.parse({
  test_name: "colours",
  variants: [{ variant_name: "red" }, { variant_name: "blue" }],
  metrics: [
    { metric_name: "orders", kind: "count" },
    { metric_name: "per_order", kind: "ratio", denominator: "orders" },
  ],
});

/** Contract for reading the totals of single users in pages. */
export function observationsContract(name: string, open: () => Promise<Storage>): void {
  async function opened() {
    const storage = await open();
    onTestFinished(() => storage.close());
    const experiment = await storage.createExperiment(newExperiment(input, "salt", AT));
    if (experiment === undefined) throw new Error("The name is taken.");
    const variant_id = experiment.variants[0]?.id ?? 0;
    const candidates = USERS.map((user_id) => ({ user_id, variant_id, assigned_at: AT }));
    await storage.assign(experiment.id, candidates);
    const track = (user_id: string, metric_name: string, value = 1) =>
      storage.appendMetrics(experiment.id, [
        { user_id, metric_name, value, created_at: AT, occurred_at: AT, message_key: null },
      ]);
    return { storage, id: experiment.id, track };
  }

  describe(`${name} user totals`, () => {
    test("list each user with values once, across pages", async () => {
      const { storage, id, track } = await opened();
      for (const user of ["ann", "bob", "dan", "eve"]) await track(user, "revenue", user.charCodeAt(0) / 4);
      await track("ann", "revenue", 0.5);
      const seen = [];
      for (let after: string | null = null; ; ) {
        const page = await storage.userObservations(id, "revenue", { after, limit: 3 });
        seen.push(...page);
        if (page.length < 3) break;
        after = page.at(-1)?.user_id ?? null;
      }
      const totals = seen.map(({ user_id, own }) => [user_id, own.count, own.total.high]);
      expect(totals.sort()).toEqual([
        ["ann", 2, 24.75],
        ["bob", 1, 24.5],
        ["dan", 1, 25],
        ["eve", 1, 25.25],
      ]);
    });

    test("include the denominator of a ratio metric", async () => {
      const { storage, id, track } = await opened();
      await track("ann", "orders");
      await track("ann", "orders");
      await track("ann", "per_order", 7);
      await track("bob", "orders");
      const page = await storage.userObservations(id, "per_order", { after: null, limit: 9 });
      expect(
        page.map(({ user_id, own, denominator }) => [user_id, own.total.high, denominator.count]),
      ).toEqual([["ann", 7, 2]]);
    });

    test("list a person with several ids once, with the values of all, and leave out one with several variants", async () => {
      const { storage, id, track } = await opened();
      const { variants } = (await storage.findExperiment(id)) ?? { variants: [] };
      await storage.assign(id, [{ user_id: "fay", variant_id: variants[1]?.id ?? 0, assigned_at: AT }]);
      for (const user of [...USERS, "fay"]) await track(user, "revenue", user.charCodeAt(0));
      const link = (anonymous_id: string, user_id: string) =>
        storage.linkUsers({ anonymous_id, user_id, linked_at: AT });
      await link("ann", "eve");
      await link("bob", "eve");
      await link("cyd", "fay");
      const seen = [];
      for (let after: string | null = null; ; ) {
        const page = await storage.userObservations(id, "revenue", { after, limit: 1 });
        seen.push(...page);
        if (page.length < 1) break;
        after = page.at(-1)?.user_id ?? null;
      }
      expect(seen.map(({ user_id, own }) => [user_id, own.count, own.total.high])).toEqual([
        ["ann", 3, 97 + 98 + 101],
        ["dan", 1, 100],
      ]);
    });

    test("are empty for an unknown experiment or metric", async () => {
      const { storage, id } = await opened();
      const page = { after: null, limit: 9 };
      expect(await storage.userObservations(id, "unknown", page)).toEqual([]);
      expect(await storage.userObservations(id + 1, "orders", page)).toEqual([]);
    });
  });
}
