import { expect, test } from "vitest";
import { createExperiment } from "../../../handlers/experiments/create-experiment.ts";
import { listExperiments } from "../../../handlers/experiments/list-experiments.ts";
import { call, colours, coloursReply, faultPathsOf, openWorld, refusalOf, withColours } from "../../world.ts";

test("the specification's example creates a running test whose first variant is the control", async () => {
  const { id, ...shown } = coloursReply();
  expect(await call(createExperiment, openWorld(), { body: colours })).toStrictEqual({
    outcome: "created",
    body: { success: true, test_id: id, ...shown },
  });
});

test("everything that may be left out has its default", async () => {
  const body = { test_name: "bare", variants: [{ variant_name: "a" }, { variant_name: "b" }] };
  const { body: answer } = await call(createExperiment, openWorld(), { body });
  const { id, ...shown } = coloursReply({
    test_name: "bare",
    description: null,
    control: "a",
    variants: [
      { id: 1, variant_name: "a", description: null, weight: 1, is_control: true, value: "a" },
      { id: 2, variant_name: "b", description: null, weight: 1, is_control: false, value: "b" },
    ],
  });
  expect(answer).toStrictEqual({ success: true, test_id: id, ...shown });
});

test("everything that may be set is kept", async () => {
  const body = {
    ...colours,
    variants: [...colours.variants, { variant_name: "plain", description: null, weight: 0 }],
    control: "blue",
    traffic: 0.25,
    confidence_level: 0.9,
    planned_users: 10_000,
    metrics: [
      { metric_name: "purchase", kind: "conversion", primary: true },
      { metric_name: "load_time", direction: "decrease" },
    ],
  };
  const { body: answer } = await call(createExperiment, openWorld(), { body });
  const { id, ...shown } = coloursReply({
    control: "blue",
    traffic: 0.25,
    confidence_level: 0.9,
    planned_users: 10_000,
    metrics: [
      { metric_name: "purchase", kind: "conversion", direction: "increase", role: "primary" },
      { metric_name: "load_time", kind: "mean", direction: "decrease", role: "exploratory" },
    ],
    variants: [
      { id: 1, variant_name: "red", description: "Red button", weight: 0.5, is_control: false, value: "red" },
      {
        id: 2,
        variant_name: "blue",
        description: "Blue button",
        weight: 0.5,
        is_control: true,
        value: "blue",
      },
      { id: 3, variant_name: "plain", description: null, weight: 0, is_control: false, value: "plain" },
    ],
  });
  expect(answer).toStrictEqual({ success: true, test_id: id, ...shown });
});

test("no answer shows the salt that users are hashed with", async () => {
  const { body } = await call(createExperiment, openWorld(), { body: colours });
  expect(JSON.stringify(body)).not.toContain("salt");
});

test("a name that is taken is refused, and what is there stays as it was", async () => {
  const world = openWorld();
  await call(createExperiment, world, { body: colours });
  const body = { ...colours, description: "another" };
  expect(await refusalOf(call(createExperiment, world, { body }))).toEqual({
    code: "conflict",
    detail: 'An A/B test named "homepage_button_color" exists already: choose another name.',
    errors: [{ path: "test_name", message: "is taken" }],
  });
  const list = await call(listExperiments, world);
  expect(list.body).toStrictEqual({ tests: [coloursReply()], next_cursor: null });
});

test("names are kept to the letter: another case is another test", async () => {
  const world = openWorld();
  await call(createExperiment, world, { body: colours });
  const body = { ...colours, test_name: "Homepage_Button_Color" };
  expect((await call(createExperiment, world, { body })).body.test_id).toBe(2);
});

const variants = (count: number) => Array.from({ length: count }, (_, n) => ({ variant_name: `v${n}` }));
const weighted = (...weights: unknown[]) => ({
  variants: weights.map((weight, n) => ({ variant_name: `v${n}`, weight })),
});

test.each<[string, object]>([
  ["20 variants", { variants: variants(20) }],
  ["one variant of weight 0", weighted(0, 1)],
  ["weights that are no shares", weighted(33, 66, 1e9)],
  ["a description of several lines", { description: "one\n\ttwo" }],
  ["no traffic", { traffic: 0 }],
])("a test may have %s", async (_name, changes) => {
  const answer = await call(createExperiment, openWorld(), { body: { ...colours, ...changes } });
  expect(answer.outcome).toBe("created");
});

test.each<[string, unknown, string[]]>([
  ["no body", undefined, [""]],
  ["an empty object", {}, ["test_name", "variants"]],
  ["an empty name", { ...colours, test_name: "" }, ["test_name"]],
  ["a control character in its name", { ...colours, test_name: "a\u0007" }, ["test_name"]],
  ["a name of 201 characters", { ...colours, test_name: "x".repeat(201) }, ["test_name"]],
  ["a description of 2,001 characters", { ...colours, description: "x".repeat(2_001) }, ["description"]],
  ["a NUL in its description", { ...colours, description: "a\0" }, ["description"]],
  ["no variant, hence no weight", { ...colours, variants: [] }, ["variants", "variants"]],
  ["one variant", { ...colours, variants: variants(1) }, ["variants"]],
  ["21 variants", { ...colours, variants: variants(21) }, ["variants"]],
  [
    "two variants of one name",
    { ...colours, variants: [...variants(2), { variant_name: "v0" }] },
    ["variants[2].variant_name"],
  ],
  [
    "two variants whose names differ in case alone",
    { ...colours, variants: [{ variant_name: "red" }, { variant_name: "Red" }] },
    ["variants[1].variant_name"],
  ],
  [
    "two variants whose names differ in space and Unicode form alone",
    { ...colours, variants: [{ variant_name: "Zoe\u0308" }, { variant_name: " Zo\u00eb " }] },
    ["variants[1].variant_name"],
  ],
  [
    "two metrics whose names differ in case alone",
    { ...colours, metrics: [{ metric_name: "Revenue" }, { metric_name: "revenue" }] },
    ["metrics[1].metric_name"],
  ],
  [
    "a control of writing direction in a variant's name",
    { ...colours, variants: [{ variant_name: "\u202e% 72.66" }, { variant_name: "b" }] },
    ["variants[0].variant_name"],
  ],
  [
    "a variant without a name",
    { ...colours, variants: [{ weight: 1 }, { variant_name: "b" }] },
    ["variants[0].variant_name"],
  ],
  ["a negative weight", { ...colours, ...weighted(-1, 2) }, ["variants[0].weight"]],
  ["weights that are all zero", { ...colours, ...weighted(0, 0) }, ["variants"]],
  ["a weight that is not a number", { ...colours, ...weighted(Number.NaN, 1) }, ["variants[0].weight"]],
  ["an infinite weight", { ...colours, ...weighted(1, Number.POSITIVE_INFINITY) }, ["variants[1].weight"]],
  ["weights whose sum is infinite", { ...colours, ...weighted(1e308, 1e308) }, ["variants"]],
  ["a weight that is a text", { ...colours, ...weighted("1", 1) }, ["variants[0].weight"]],
  ["a control that is no variant", { ...colours, control: "green" }, ["control"]],
  ["traffic over 1", { ...colours, traffic: 1.01 }, ["traffic"]],
  ["traffic below 0", { ...colours, traffic: -0.01 }, ["traffic"]],
  ["a confidence level of 1", { ...colours, confidence_level: 1 }, ["confidence_level"]],
  ["a confidence level of one half", { ...colours, confidence_level: 0.5 }, ["confidence_level"]],
  ["99 planned users", { ...colours, planned_users: 99 }, ["planned_users"]],
  ["a window of users that are not planned", { ...colours, window_days: 7 }, ["window_days"]],
  [
    "a margin on a primary metric",
    { ...colours, metrics: [{ metric_name: "m", role: "primary", margin: 0.1 }] },
    ["metrics[0].margin"],
  ],
  [
    "a margin of 0",
    { ...colours, metrics: [{ metric_name: "m", role: "guardrail", margin: 0 }] },
    ["metrics[0].margin"],
  ],
  [
    "an infinite margin",
    { ...colours, metrics: [{ metric_name: "m", role: "guardrail", margin: Number.POSITIVE_INFINITY }] },
    ["metrics[0].margin"],
  ],
  [
    "a ratio without a denominator",
    { ...colours, metrics: [{ metric_name: "m", kind: "ratio" }] },
    ["metrics[0].denominator"],
  ],
  [
    "a ratio over itself",
    { ...colours, metrics: [{ metric_name: "m", kind: "ratio", denominator: "m" }] },
    ["metrics[0].denominator"],
  ],
  [
    "a denominator without a ratio",
    { ...colours, metrics: [{ metric_name: "m", denominator: "n" }] },
    ["metrics[0].denominator"],
  ],
  [
    "a cap on a conversion",
    { ...colours, metrics: [{ metric_name: "m", kind: "conversion", cap: 3 }] },
    ["metrics[0].cap"],
  ],
  ["a negative cap", { ...colours, metrics: [{ metric_name: "m", cap: -1 }] }, ["metrics[0].cap"]],
  [
    "an infinite cap",
    { ...colours, metrics: [{ metric_name: "m", cap: Number.POSITIVE_INFINITY }] },
    ["metrics[0].cap"],
  ],
  ["an end that is over", { ...colours, stop_at: "2026-11-22T10:00:00.000Z" }, ["stop_at"]],
  [
    "a window longer than the test",
    { ...colours, planned_users: 100, window_days: 7, metrics: [{ metric_name: "m", window_days: 8 }] },
    ["metrics[0].window_days"],
  ],
  [
    "a role that contradicts primary",
    { ...colours, metrics: [{ metric_name: "m", primary: true, role: "guardrail" }] },
    ["metrics[0].primary"],
  ],
  ["an unknown role", { ...colours, metrics: [{ metric_name: "m", role: "main" }] }, ["metrics[0].role"]],
  [
    "a share of an exclusion group of 0",
    { ...colours, exclusion_group: { name: "page", share: 0 } },
    ["exclusion_group.share"],
  ],
  ["a holdout of most users", { ...colours, holdout: 0.9 }, ["holdout"]],
  [
    "a value of 16 KiB and more",
    { ...colours, variants: [{ variant_name: "a", value: "x".repeat(16 * 1024) }, { variant_name: "b" }] },
    ["variants[0].value"],
  ],
  ["half a planned user", { ...colours, planned_users: 0.5 }, ["planned_users"]],
  [
    "a metric of an unknown kind",
    { ...colours, metrics: [{ metric_name: "m", kind: "median" }] },
    ["metrics[0].kind"],
  ],
  [
    "a metric declared twice",
    { ...colours, metrics: [{ metric_name: "m" }, { metric_name: "m" }] },
    ["metrics[1].metric_name"],
  ],
  [
    "two primary metrics",
    {
      ...colours,
      metrics: [
        { metric_name: "m", primary: true },
        { metric_name: "n", primary: true },
      ],
    },
    ["metrics"],
  ],
  ["a misspelt field", { ...colours, varaints: [] }, ["varaints"]],
  [
    "a misspelt field in a variant",
    { ...colours, variants: [{ variant_name: "a", wieght: 1 }, { variant_name: "b" }] },
    ["variants[0].wieght"],
  ],
])("a test with %s is refused, and not created", async (_name, body, paths) => {
  const world = openWorld();
  expect(await faultPathsOf(call(createExperiment, world, { body }))).toEqual(["invalid", ...paths]);
  expect((await call(listExperiments, world)).body).toStrictEqual({ tests: [], next_cursor: null });
});

test("a group of exclusive tests that has no room for another refuses it, and says what is free", async () => {
  const world = openWorld();
  await withColours(world, { changes: { exclusion_group: { name: "page", share: 0.9 } } });
  const another = { ...colours, test_name: "another", exclusion_group: "page" };
  const refused = await refusalOf(call(createExperiment, world, { body: another }));
  expect([refused.code, refused.errors]).toEqual([
    "invalid",
    [
      {
        path: "exclusion_group",
        message:
          'has no range of 0.5 left for this test, which would have no users: 0.1 of the group "page" is free. Ask for a smaller share, or stop a test of the group',
      },
    ],
  ]);
  const { tests } = (await call(listExperiments, world)).body;
  expect(tests.map(({ test_name }) => test_name)).toEqual(["homepage_button_color"]);
});

test("weights in mixed units are answered with the shares they mean", async () => {
  const variants = [
    { variant_name: "red", weight: 50 },
    { variant_name: "blue", weight: 0.5 },
  ];
  const { body } = await call(createExperiment, openWorld(), { body: { ...colours, variants } });
  expect(body.variants.map(({ weight, share }) => [weight, share])).toEqual([
    [50, 50 / 50.5],
    [0.5, 0.5 / 50.5],
  ]);
});
