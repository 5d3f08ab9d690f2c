import { expect, test } from "vitest";
import { ExperimentInput } from "../../../domain/experiments/experiment.ts";
import {
  bodyOf,
  emptyDraft,
  newMetric,
  replaced,
  shareInWords,
  without,
} from "../../../web/dashboard/experiments/experiment-draft.ts";

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

test("the form becomes a request that the server accepts", () => {
  const body = bodyOf(draft);
  expect(body).toEqual({
    test_name: "button",
    variants: [
      { variant_name: "control", weight: 50 },
      { variant_name: "treatment", weight: 50 },
    ],
    control: "control",
    metrics: [
      { metric_name: "signup", kind: "conversion", direction: "increase", role: "exploratory" },
      {
        metric_name: "revenue",
        kind: "mean",
        direction: "increase",
        role: "primary",
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

test("empty fields are left out, and a draft does not start", () => {
  const { planned_users, description, status } = bodyOf({ ...draft, plannedUsers: " ", start: false });
  expect({ planned_users, description, status }).toEqual({
    planned_users: undefined,
    description: undefined,
    status: "draft",
  });
});

test("a percentage is sent as an exact share, without the error of binary fractions", () => {
  const { traffic, confidence_level } = bodyOf({ ...draft, traffic: "7", confidence: "99.9" });
  expect({ traffic, confidence_level }).toEqual({ traffic: 0.07, confidence_level: 0.999 });
});

test("a property chosen for a sum is not sent after the metric's kind has changed", () => {
  const { metrics } = bodyOf({ ...draft, metrics: replaced(draft.metrics, 1, { kind: "conversion" }) });
  expect(metrics?.[1]).toEqual({
    metric_name: "revenue",
    kind: "conversion",
    direction: "increase",
    role: "primary",
    event_type: "purchase",
  });
});

test("a guardrail is sent with its margin, which is typed in percentage points for a share of users", () => {
  const guardrail = { role: "guardrail", margin: "0.5" } as const;
  const shares = bodyOf({ ...draft, metrics: replaced(draft.metrics, 0, guardrail) });
  expect(shares.metrics?.[0]).toMatchObject({ role: "guardrail", margin: 0.005 });
  expect(ExperimentInput.safeParse(shares).error).toBeUndefined();
  const counts = bodyOf({ ...draft, metrics: replaced(draft.metrics, 0, { ...guardrail, kind: "count" }) });
  expect(counts.metrics?.[0]).toMatchObject({ margin: 0.5 });
  const open = bodyOf({ ...draft, metrics: replaced(draft.metrics, 0, { ...guardrail, margin: "" }) });
  expect(open.metrics?.[0]).not.toHaveProperty("margin");
});

test.each([
  [["50", "50"], "a share of 50.0 %"],
  [["1", "2"], "a share of 33.3 %"],
  [["0", "2"], "a share of 0.0 %"],
  [["0", "0"], undefined],
  [["-1", "2"], undefined],
  [["1", ""], undefined],
])("the share of the first of the weights %j is %s", (weights, expected) => {
  const variants = weights.map((weight) => ({ name: "", weight }));
  expect(shareInWords(variants, 0)?.replaceAll("\u00a0", " ")).toBe(expected);
});

test("text that is no number reaches the server, which names its field", () => {
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
