import { OpenFeature, type TrackingEventDetails } from "@openfeature/server-sdk";
import { expect, onTestFinished, test, vi } from "vitest";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { AnalyticsProvider } from "../../../web/client/openfeature/openfeature-server.ts";
import { call, withColours } from "../../world.ts";
import {
  type CompatibleServer,
  enrolledUsers,
  KEYED,
  serveCompatible,
  storedEvents,
  type Trouble,
  WRITE_KEY,
} from "./serve.ts";

const NAME = "homepage_button_color";
const ANN = { targetingKey: "ann" };

/** An application with our provider, and the server that it asks. */
async function scene(options = {}) {
  const server = await serveCompatible(KEYED);
  const refused: string[] = [];
  const provider = new AnalyticsProvider({
    url: server.url,
    key: WRITE_KEY,
    timeout: 30_000,
    onRefused: (problem) => refused.push(problem),
    ...options,
  });
  await OpenFeature.setProviderAndWait(provider);
  onTestFinished(() => OpenFeature.clearProviders());
  return { server, refused, client: OpenFeature.getClient() };
}

const evaluations = ({ paths }: CompatibleServer): number =>
  paths.filter((path) => path.includes("/ofrep/")).length;

const variantsOf = (...values: unknown[]) =>
  values.map((value, index) => ({ variant_name: `v${index}`, value }));

test("a flag has the value of the user's variant, whatever its type, and says the variant and the reason", async () => {
  const { server, client } = await scene();
  const flags = {
    shown: variantsOf(false, true),
    label: variantsOf("Buy", "Order"),
    columns: variantsOf(3, 4.5),
    theme: variantsOf({ dark: false }, { dark: true, sizes: [1, 2] }),
  };
  for (const [test_name, variants] of Object.entries(flags)) {
    await withColours(server.world, { changes: { test_name, variants }, users: { ann: "v1" } });
  }
  const expected = (flagKey: string, value: unknown, test_id: number) => ({
    flagKey,
    value,
    variant: "v1",
    reason: "SPLIT",
    flagMetadata: { test_id },
  });
  expect(await client.getBooleanDetails("shown", false, ANN)).toEqual(expected("shown", true, 1));
  expect(await client.getStringDetails("label", "", ANN)).toEqual(expected("label", "Order", 2));
  expect(await client.getNumberDetails("columns", 0, ANN)).toEqual(expected("columns", 4.5, 3));
  expect(await client.getObjectDetails("theme", {}, ANN)).toEqual(
    expected("theme", { dark: true, sizes: [1, 2] }, 4),
  );
});

test.each<[string, object, object, string]>([
  ["an unknown flag", {}, { flag: "other" }, "FLAG_NOT_FOUND"],
  ["a name that has to be encoded", {}, { flag: "a/b ?#" }, "FLAG_NOT_FOUND"],
  ["text that is asked for as a boolean", {}, {}, "TYPE_MISMATCH"],
  ["no user", {}, { context: {} }, "TARGETING_KEY_MISSING"],
  [
    "a user's id that is too long",
    {},
    { context: { targetingKey: "u".repeat(201) } },
    "TARGETING_KEY_MISSING",
  ],
  ["a wrong key", { key: "another-key-0123456789" }, {}, "GENERAL"],
])("%s is the code's default, with an error code", async (_, options, asked, errorCode) => {
  const { server, client } = await scene(options);
  await withColours(server.world);
  const { flag, context } = { flag: NAME, context: ANN, ...asked };
  expect(await client.getBooleanDetails(flag, true, context)).toEqual({
    flagKey: flag,
    value: true,
    reason: "ERROR",
    errorCode,
    errorMessage: expect.stringMatching(/\w+/),
    flagMetadata: {},
  });
});

test.each<[object, object]>([
  [{ traffic: 0 }, { value: "mine", reason: "DEFAULT" }],
  [{ status: "paused" }, { value: "mine", reason: "DISABLED" }],
  [
    { status: "stopped", winner: "blue" },
    { value: "blue", variant: "blue", reason: "STATIC" },
  ],
  [{ forced: { ann: "blue" } }, { value: "blue", variant: "blue", reason: "TARGETING_MATCH" }],
])("after the change %j the answer is %j, without an error", async (changes, expected) => {
  const { server, client } = await scene();
  await withColours(server.world);
  await call(updateExperiment, server.world, { params: { test_id: "1" }, body: changes });
  expect(await client.getStringDetails(NAME, "mine", ANN)).toEqual({
    flagKey: NAME,
    flagMetadata: { test_id: 1 },
    ...expected,
  });
});

test("asking enrols the user once, and asks the server once a minute", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const { server, client } = await scene();
  await withColours(server.world);
  for (let n = 0; n < 3; n++) await client.getStringValue(NAME, "mine", ANN);
  expect([evaluations(server), await enrolledUsers(server)]).toEqual([1, 1]);
  await client.getStringValue(NAME, "mine", { targetingKey: "bob" });
  expect([evaluations(server), await enrolledUsers(server)]).toEqual([2, 2]);
  vi.setSystemTime(Date.now() + 60_000);
  await client.getStringValue(NAME, "mine", ANN);
  expect([evaluations(server), await enrolledUsers(server)]).toEqual([3, 2]);
});

test("a known user keeps their variant while the server is away; another gets the code's default", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const { server, client } = await scene();
  await withColours(server.world, { users: { ann: "blue" } });
  expect(await client.getStringDetails(NAME, "mine", ANN)).toMatchObject({ value: "blue", reason: "SPLIT" });
  server.trouble("away", 503, 429, "away");
  for (let n = 0; n < 3; n++) {
    vi.setSystemTime(Date.now() + 60_000);
    const details = await client.getStringDetails(NAME, "mine", ANN);
    expect(details).toMatchObject({ value: "blue", variant: "blue", reason: "STALE" });
    expect(details.errorCode).toBeUndefined();
  }
  expect(await client.getStringDetails(NAME, "mine", { targetingKey: "bob" })).toMatchObject({
    value: "mine",
    errorCode: "GENERAL",
  });
  vi.setSystemTime(Date.now() + 60_000);
  expect(await client.getStringDetails(NAME, "mine", ANN)).toMatchObject({ value: "blue", reason: "SPLIT" });
});

test("facts of the context become attributes of the assignment", async () => {
  const { server, client } = await scene();
  await withColours(server.world);
  const context = { ...ANN, country: "CH", since: new Date(0), nested: { deep: [1] } };
  await client.getStringValue(NAME, "mine", context);
  const { users } = await server.world.storage.segmentUsers(1, "country", { after: null, limit: 9 });
  expect(users).toMatchObject([{ user_id: "ann", value: "CH" }]);
});

test.each<Trouble | "nothing">(["nothing", "away", 503, 429])(
  "a tracked event is stored once with its details, after the server met it with %s",
  async (trouble) => {
    const { server, client } = await scene();
    const details: TrackingEventDetails = { value: 12.5, currency: "CHF", at: new Date(0), items: ["a"] };
    if (trouble !== "nothing") server.trouble(trouble);
    client.track("buy", ANN, details);
    client.track("leave", ANN);
    await OpenFeature.close();
    const events = await storedEvents(server);
    expect(events.map(({ event_type, user_id, properties }) => [event_type, user_id, properties])).toEqual([
      ["buy", "ann", { value: 12.5, currency: "CHF", at: "1970-01-01T00:00:00.000Z", items: ["a"] }],
      ["leave", "ann", {}],
    ]);
  },
);

test("an event without a user is reported, and others go on", async () => {
  const { server, client, refused } = await scene();
  client.track("buy", {});
  client.track("buy", ANN);
  await OpenFeature.close();
  expect(refused).toEqual(["no user_id of 1 to 200 characters"]);
  expect(await storedEvents(server)).toHaveLength(1);
});

test("a provider without an address is refused at the start", async () => {
  const onRefused = vi.fn();
  const provider = new AnalyticsProvider({ url: "localhost:20000", onRefused });
  await expect(OpenFeature.setProviderAndWait("nowhere", provider)).rejects.toThrow("no url localhost:20000");
});
