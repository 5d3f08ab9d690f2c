import { expect, test } from "vitest";
import { eventValue } from "../../../domain/events/event-metric.ts";

const metric = {
  metric_name: "sales",
  kind: "mean",
  direction: "increase",
  primary: false,
  event_type: "buy",
} as const;

test.each([
  ["counts 1 where no property is named", {}, { price: 5 }, 1],
  ["counts the number in its property", { property: "price" }, { price: 5 }, 5],
  ["counts a refund as what it is", { property: "price" }, { price: -5 }, -5],
  ["leaves out an event without the property", { property: "price" }, {}, undefined],
  ["leaves out a property that is no number", { property: "price" }, { price: "5" }, undefined],
  [
    "takes an event that has all of where",
    { where: { plan: "pro", paid: true } },
    { plan: "pro", paid: true },
    1,
  ],
  [
    "leaves out one that has a part of it",
    { where: { plan: "pro", paid: true } },
    { plan: "pro" },
    undefined,
  ],
  ["tells the number 1 from the text 1", { where: { seats: 1 } }, { seats: "1" }, undefined],
])("a metric made of events %s", (_what, declared, properties, value) => {
  expect(eventValue({ ...metric, ...declared }, properties)).toBe(value);
});
