import { expect, test } from "vitest";
import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import { conditionText } from "../../../web/dashboard/reports/filters.ts";
import {
  conditionsOfStep,
  formatSteps,
  parseSteps,
  type Step,
  scalarOf,
  withCondition,
  withoutCondition,
} from "../../../web/dashboard/reports/funnel-steps.ts";

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
  const where = { plan: "pro", amount: { gte: 5, lt: 10 }, code: { not_set: true } };
  const steps = [{ event_type: "view" }, { event_type: "purchase", where }];
  expect(parseSteps(formatSteps(steps))).toEqual(steps);
});

test.each([null, "", "no JSON", "{}", "[1]", '[{"where":{}}]', "[null]"])(
  "a link with the steps %j has none",
  (text) => {
    expect(parseSteps(text)).toEqual([]);
  },
);

test("a condition that is neither a value nor a comparison is left out", () => {
  expect(
    parseSteps('[{"event_type":"a","where":{"b":{"c":1},"d":true,"e":[1],"f":{"gt":[1],"lt":2}}}]'),
  ).toEqual([{ event_type: "a", where: { d: true, f: { lt: 2 } } }]);
});

test("conditions are added to a step and removed from it, each in the form of the API", () => {
  const added = [
    { property: "amount", operator: "gte", value: "5" },
    { property: "amount", operator: "lt", value: "ten" },
    { property: "plan", operator: "contains", value: "5" },
    { property: "code", operator: "set", value: "1" },
    { property: "is_gift", operator: "not", value: "true" },
  ] as const;
  const step = added.reduce((one, condition) => withCondition(one, condition, catalogue), {
    event_type: "purchase",
  } as Step);
  expect(step.where).toEqual({
    amount: { gte: 5, lt: "ten" },
    plan: { contains: "5" },
    code: { set: true },
    is_gift: { not: true },
  });
  expect(conditionsOfStep(step).map(conditionText)).toEqual([
    "amount is at least 5",
    "amount is below ten",
    "plan contains 5",
    "code is set",
    "is_gift is not true",
  ]);
  const left = withoutCondition(step, { property: "amount", operator: "lt", value: "ten" });
  expect(left.where).toMatchObject({ amount: { gte: 5 } });
  const none = conditionsOfStep(step).reduce(withoutCondition, step);
  expect(none).toEqual({ event_type: "purchase" });
});

test("a property that equals a value is compared with no other", () => {
  const bounded = { event_type: "purchase", where: { amount: { gte: 5 } } };
  const equal = withCondition(bounded, { property: "amount", operator: "", value: "7" }, catalogue);
  expect(equal.where).toEqual({ amount: 7 });
  expect(withCondition(equal, { property: "amount", operator: "gt", value: "1" }, catalogue).where).toEqual({
    amount: { gt: 1 },
  });
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
