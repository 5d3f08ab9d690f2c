import { describe, expect, test } from "vitest";
import { MAX_NAMES } from "../../../adapters/rollups/store.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, asked, eventAt, json, type Store } from "./asked.ts";

const NAMES_AN_EVENT = 250;

/** Events of one type, each with property names of its own: one event more than the rollups keep names of. */
const wideEvents = Array.from({ length: MAX_NAMES / NAMES_AN_EVENT + 1 }, (_, turn) => {
  const names = Array.from({ length: NAMES_AN_EVENT }, (_, n) => `name ${turn * NAMES_AN_EVENT + n}`);
  return eventAt(turn, "wide", json(Object.fromEntries(names.map((name) => [name, "x"]))));
});

const late = (minutes: number, plan: string) =>
  eventAt(minutes, "wide", json({ late: plan, "name 0": plan }));

const trend = (changes: Partial<TrendQuestion>): TrendQuestion => ({
  event_types: ["wide"],
  measure: "count",
  edges: [AT, AT + HOUR, AT + 2 * HOUR],
  where: [],
  limit: 10,
  ...changes,
});

export function manyNamesStories(store: Store): void {
  describe("a type with more property names than rollups keep", () => {
    const stored = async () => {
      const storage = await store(...wideEvents);
      await storage.appendEvents([late(10, "pro"), late(70, "pro"), late(71, "free")]);
      await storage.appendEvents([eventAt(72, "other", json({ late: "pro" }))]);
      return storage;
    };
    const series = (event_type: string | null, plan: string, values: number[]) => ({
      event_type,
      total: values.reduce((sum, count) => sum + count, 0),
      values,
      group: { kind: "value", value: plan },
    });
    const none = (event_type: string | null) => ({
      event_type,
      total: wideEvents.length,
      values: [wideEvents.length, 0],
      group: { kind: "none" },
    });

    test("has exact trends by a name that is not kept, of the type and of all types", async () => {
      const storage = await stored();
      expect(await asked.trend(storage, trend({ breakdown: "late" }))).toEqual([
        none("wide"),
        series("wide", "pro", [1, 1]),
        series("wide", "free", [0, 1]),
      ]);
      expect(await asked.trend(storage, trend({ breakdown: "late", event_types: [] }))).toEqual([
        none(null),
        series(null, "pro", [1, 2]),
        series(null, "free", [0, 1]),
      ]);
    });

    test("has exact trends under a condition on a name that is not kept", async () => {
      const storage = await stored();
      const where = [{ property: "late", values: ["pro"] }];
      expect(await asked.trend(storage, trend({ where, event_types: ["wide", "other"] }))).toEqual([
        { event_type: "wide", total: 2, values: [1, 1] },
        { event_type: "other", total: 1, values: [0, 1] },
      ]);
    });

    test("is answered from rollups by a name that is kept", async () => {
      const storage = await stored();
      const question = trend({ where: [{ property: "name 0", values: ["pro", "x"] }] });
      const { source, value } = await storage.trend(question);
      expect({ source, value }).toEqual({
        source: "rollup",
        value: [{ event_type: "wide", total: 3, values: [2, 1] }],
      });
      expect(await asked.trend(storage, question)).toEqual(value);
    });

    test("is listed with the names that are kept, and with the note that there may be more", async () => {
      const [wide, other] = await asked.types(await stored());
      expect([wide?.properties.length, wide?.may_have_more_properties]).toEqual([MAX_NAMES, true]);
      expect(wide?.properties[0]).toEqual({ name: "name 0", value_types: { string: 4 } });
      expect(other).toMatchObject({
        event_type: "other",
        properties: [{ name: "late", value_types: { string: 1 } }],
        may_have_more_properties: false,
      });
    });
  });
}
