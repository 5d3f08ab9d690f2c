import { expect, test } from "vitest";
import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import { formatSteps, parseSteps, scalarOf } from "../../../web/dashboard/reports/funnel-steps.ts";

const seen = "2026-11-24T00:00:00.000Z";
const property = (
  name: string,
  value_types: Catalogue["types"][number]["properties"][number]["value_types"],
) => ({
  name,
  count: 1,
  value_types,
});
const catalogue = {
  types: [
    {
      event_type: "purchase",
      count: 1,
      first_seen: seen,
      last_seen: seen,
      properties: [
        property("plan", { string: 1 }),
        property("amount", { number: 1 }),
        property("is_gift", { boolean: 1 }),
        property("code", { string: 1, number: 1 }),
      ],
      total_properties: 4,
    },
  ],
} as unknown as Catalogue;

test("steps of a link are read back as they were written", () => {
  const steps = [{ event_type: "view" }, { event_type: "purchase", where: { plan: "pro", amount: 5 } }];
  expect(parseSteps(formatSteps(steps))).toEqual(steps);
});

test.each([null, "", "no JSON", "{}", "[1]", '[{"where":{}}]', "[null]"])(
  "a link with the steps %j has none",
  (text) => {
    expect(parseSteps(text)).toEqual([]);
  },
);

test("a condition without a plain value is left out", () => {
  expect(parseSteps('[{"event_type":"a","where":{"b":{"c":1},"d":true}}]')).toEqual([
    { event_type: "a", where: { d: true } },
  ]);
});

test.each([
  ["plan", "5", "5"],
  ["amount", "5", 5],
  ["amount", "five", "five"],
  ["amount", " ", " "],
  ["is_gift", "true", true],
  ["is_gift", "yes", "yes"],
  ["code", "5", "5"],
  ["unknown", "5", "5"],
])("for the property %s the text %j means %j", (name, typed, expected) => {
  expect(scalarOf(typed, "purchase", name, catalogue)).toBe(expected);
});
