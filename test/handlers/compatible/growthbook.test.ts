import { GrowthBook } from "@growthbook/growthbook";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { anyJson } from "../../any-json.ts";
import { cases } from "../../random.ts";
import { call, openEdge, withColours } from "../../world.ts";
import { enrolledUsers, KEYED, READ_KEY, serveCompatible, WRITE_KEY } from "./serve.ts";

const NAME = "homepage_button_color";
const PATH = `/api/eval/${WRITE_KEY}`;
const variants = [
  { variant_name: "red", value: { hex: "#f00" } },
  { variant_name: "blue", value: { hex: "#00f" } },
];

async function edgeWithAnn(changes: object = {}) {
  const edge = openEdge();
  await withColours(edge.world, { changes: { variants }, users: { ann: "blue" } });
  if (Object.keys(changes).length > 0)
    await call(updateExperiment, edge.world, { params: { test_id: "1" }, body: changes });
  const ask = async (body: object) => {
    const answer = await edge.send({ method: "POST", path: PATH, body });
    return (answer.body as { features: object }).features;
  };
  return { edge, ask };
}

test("the user's variant is forced, with what the client passes to its tracking callback", async () => {
  const { edge } = await edgeWithAnn();
  const body = {
    attributes: { id: "ann", country: "CH" },
    forcedVariations: {},
    forcedFeatures: [],
    url: "https://s.example/",
  };
  expect(await edge.send({ method: "POST", path: PATH, body })).toMatchObject({
    status: 200,
    body: {
      status: 200,
      dateUpdated: "2026-11-22T10:00:00.000Z",
      features: {
        [NAME]: {
          defaultValue: null,
          rules: [
            {
              force: { hex: "#00f" },
              tracks: [
                {
                  experiment: { key: NAME, variations: [{ hex: "#f00" }, { hex: "#00f" }] },
                  result: {
                    variationId: 1,
                    key: "blue",
                    value: { hex: "#00f" },
                    inExperiment: true,
                    hashUsed: true,
                    hashAttribute: "id",
                    hashValue: "ann",
                    featureId: NAME,
                  },
                },
              ],
            },
          ],
        },
      },
    },
  });
});

test.each<[string, object, object, object]>([
  [
    "a winner is shown and not tracked",
    { status: "stopped", winner: "red" },
    {},
    { defaultValue: null, rules: [{ force: { hex: "#f00" } }] },
  ],
  [
    "a tester is not tracked",
    { forced: { cyd: "red" } },
    {},
    { defaultValue: null, rules: [{ force: { hex: "#f00" } }] },
  ],
  [
    "a look at a variant is not tracked",
    {},
    { [NAME]: 0 },
    { defaultValue: null, rules: [{ force: { hex: "#f00" } }] },
  ],
])("%s", async (_, changes, forcedVariations, feature) => {
  const { ask } = await edgeWithAnn(changes);
  expect(await ask({ attributes: { id: "cyd" }, forcedVariations })).toEqual({ [NAME]: feature });
});

test("a user outside of the traffic is left to the code's default", async () => {
  const { ask } = await edgeWithAnn({ traffic: 0 });
  expect(await ask({ attributes: { id: "bob" } })).toEqual({ [NAME]: { defaultValue: null } });
});

test("the key of the path is judged as in a header", async () => {
  const { send } = openEdge(KEYED);
  const ask = async (key: string) =>
    (await send({ method: "POST", path: `/api/eval/${key}`, body: { attributes: { id: "ann" } } })).status;
  expect([await ask(WRITE_KEY), await ask(READ_KEY), await ask("wrong-key-0123456789")]).toEqual([
    200, 403, 401,
  ]);
});

test("any JSON at all gets features or a refusal", async () => {
  const { edge } = await edgeWithAnn();
  const attributes = fc.oneof(anyJson, fc.record({ id: anyJson }));
  const body = fc.oneof(anyJson, fc.record({ attributes, forcedVariations: anyJson }));
  await fc.assert(
    fc.asyncProperty(body, async (sent) => {
      const answer = await edge.send({ method: "POST", path: PATH, body: JSON.stringify(sent) });
      expect(Object.keys(answer.body as object)).toContain(answer.status === 200 ? "features" : "code");
      expect([200, 400]).toContain(answer.status);
    }),
    { numRuns: cases(150) },
  );
});

test("GrowthBook's SDK shows the variant, and its callback enrols the user once", async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world, { changes: { variants } });
  const callbacks: Promise<Response>[] = [];
  const growthbook = new GrowthBook({
    apiHost: server.url,
    clientKey: WRITE_KEY,
    remoteEval: true,
    attributes: { id: "ann" },
    trackingCallback: ({ key }, { hashValue }) => {
      const sent = fetch(`${server.url}/ofrep/v1/evaluate/flags/${key}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": WRITE_KEY },
        body: JSON.stringify({ context: { targetingKey: hashValue } }),
      });
      callbacks.push(sent);
    },
  });
  onTestFinished(() => growthbook.destroy());
  await growthbook.init({ skipCache: true });
  expect(await enrolledUsers(server)).toBe(0);
  const shown = growthbook.getFeatureValue(NAME, { hex: "none" });
  growthbook.getFeatureValue(NAME, { hex: "none" });
  expect(callbacks).toHaveLength(1);
  const [assigned] = await Promise.all(callbacks.map(async (sent) => (await sent).json()));
  expect(assigned).toMatchObject({ value: shown, reason: "SPLIT" });
  expect(await enrolledUsers(server)).toBe(1);
  expect(growthbook.getFeatureValue("unknown", "mine")).toBe("mine");
});

test.each(["away", 503, 429] as const)(
  "GrowthBook's SDK gives the code's default while the server is %s, and the variant after",
  async (trouble) => {
    const server = await serveCompatible(KEYED);
    await withColours(server.world, { changes: { variants }, users: { ann: "blue" } });
    const options = {
      apiHost: server.url,
      clientKey: WRITE_KEY,
      remoteEval: true,
      attributes: { id: "ann" },
    };
    const growthbook = new GrowthBook(options);
    onTestFinished(() => growthbook.destroy());
    server.trouble(trouble);
    await growthbook.init({ skipCache: true });
    expect(growthbook.getFeatureValue(NAME, { hex: "none" })).toEqual({ hex: "none" });
    await growthbook.refreshFeatures({ skipCache: true });
    expect(growthbook.getFeatureValue(NAME, { hex: "none" })).toEqual({ hex: "#00f" });
  },
);
