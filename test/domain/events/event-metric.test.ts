import { expect, test } from "vitest";
import { eventValue } from "../../../domain/events/event-metric.ts";

const metric = {
  metric_name: "sales",
  kind: "mean",
  direction: "increase",
  role: "exploratory",
  event_type: "buy",
} as const;

const value = (number: number) => ({ kind: "value", value: number });
const dropped = (reason: string) => ({ kind: "dropped", reason });

test.each([
  ["counts 1 without a property", {}, { price: 5 }, value(1)],
  ["counts the number in the property", { property: "price" }, { price: 5 }, value(5)],
  ["counts a negative number", { property: "price" }, { price: -5 }, value(-5)],
  ["leaves out an event without the property", { property: "price" }, {}, undefined],
  ["leaves out an event whose property is null", { property: "price" }, { price: null }, undefined],
  ["drops a number that was sent as text", { property: "price" }, { price: "5" }, dropped("wrong_type")],
  ["drops a property that is a list", { property: "price" }, { price: [5] }, dropped("wrong_type")],
  ["counts a number at the bound", { property: "price" }, { price: 1e12 }, value(1e12)],
  ["drops a number beyond the bound", { property: "price" }, { price: -1.1e12 }, dropped("out_of_range")],
  [
    "counts an event that meets all conditions",
    { where: { plan: "pro", paid: true } },
    { plan: "pro", paid: true },
    value(1),
  ],
  [
    "leaves out an event that meets only some conditions",
    { where: { plan: "pro", paid: true } },
    { plan: "pro" },
    undefined,
  ],
  ["distinguishes the number 1 from the text 1", { where: { seats: 1 } }, { seats: "1" }, undefined],
])("a metric computed from events %s", (_what, declared, properties, found) => {
  expect(eventValue({ ...metric, ...declared }, properties)).toEqual(found);
});
