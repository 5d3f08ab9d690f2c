import { expect, test } from "vitest";
import { ExperimentInput } from "../../../domain/experiment.ts";
import { bodyOf, emptyDraft, newMetric, replaced, without } from "../../../web/dashboard/experiment-draft.ts";

const draft = {
  ...emptyDraft("900"),
  name: "button",
  metrics: [
    { ...newMetric(), name: "signup" },
    { ...newMetric(), name: "revenue", kind: "mean" as const, eventType: "purchase", property: "amount" },
  ],
  primary: 1,
  traffic: "50",
};

test("what was typed becomes a request that the server accepts", () => {
  const body = bodyOf(draft);
  expect(body).toEqual({
    test_name: "button",
    variants: [
      { variant_name: "control", weight: 50 },
      { variant_name: "treatment", weight: 50 },
    ],
    control: "control",
    metrics: [
      { metric_name: "signup", kind: "conversion", direction: "increase", primary: false },
      {
        metric_name: "revenue",
        kind: "mean",
        direction: "increase",
        primary: true,
        event_type: "purchase",
        property: "amount",
      },
    ],
    traffic: 0.5,
    confidence_level: 0.95,
    planned_users: 900,
    status: "running",
  });
  expect(ExperimentInput.safeParse(body).error).toBeUndefined();
});

test("what is left open is left out, and a draft does not start", () => {
  const { planned_users, description, status } = bodyOf({ ...draft, plannedUsers: " ", start: false });
  expect({ planned_users, description, status }).toEqual({
    planned_users: undefined,
    description: undefined,
    status: "draft",
  });
});

test("the server is told what is no number, so that it can say where", () => {
  const body = bodyOf({ ...draft, variants: replaced(draft.variants, 1, { weight: "" }) });
  const { error } = ExperimentInput.safeParse(JSON.parse(JSON.stringify(body)));
  expect(error?.issues.map(({ path }) => path)).toEqual([["variants", 1, "weight"]]);
});

test.each([
  [0, 0, 0],
  [0, 2, 1],
  [2, 1, 1],
  [1, 1, 0],
])("without entry %d, the chosen entry %d is entry %d", (removed, chosen, expected) => {
  expect(without(["a", "b", "c"], removed, chosen)).toEqual({
    list: ["a", "b", "c"].filter((_, index) => index !== removed),
    chosen: expected,
  });
});
