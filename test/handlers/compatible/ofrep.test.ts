import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature } from "@openfeature/server-sdk";
import { OpenFeature as WebOpenFeature } from "@openfeature/web-sdk";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { assignEverywhere } from "../../../handlers/experiments/assignments/assign-everywhere.ts";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { anyJson } from "../../any-json.ts";
import { cases } from "../../random.ts";
import { call, openEdge, type TestEdge, withColours } from "../../world.ts";
import { enrolledUsers, KEYED, serveCompatible, WRITE_KEY } from "./serve.ts";

const ONE = "/ofrep/v1/evaluate/flags/homepage_button_color";
const ALL = "/ofrep/v1/evaluate/flags";
const NAME = "homepage_button_color";
const contextOf = (targetingKey: string) => ({ context: { targetingKey } });
const post = ({ send }: TestEdge, path: string, body: unknown, headers = {}) =>
  send({ method: "POST", path, body, headers });

const change = ({ world }: TestEdge, body: object) =>
  call(updateExperiment, world, { params: { test_id: "1" }, body });

const variants = [
  { variant_name: "red", value: { colour: "#f00", rounded: true } },
  { variant_name: "blue", value: { colour: "#00f", rounded: false } },
];

test("a single evaluation enrols the user, and says the variant with its value", async () => {
  const edge = openEdge();
  await withColours(edge.world, { changes: { variants } });
  const { status, body } = await post(edge, ONE, contextOf("ann"));
  const { body: assigned } = await call(assignVariant, edge.world, {
    params: { test_id: "1" },
    body: { user_id: "ann" },
  });
  expect(status).toBe(200);
  expect(body).toEqual({
    key: NAME,
    value: assigned.value,
    reason: "SPLIT",
    variant: assigned.variant,
    metadata: { test_id: 1 },
  });
  expect(await enrolledUsers(edge)).toBe(1);
});

test("a bulk evaluation shows what single ones would give, and enrols nobody", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  for (const user of ["ann", "bob", "cyd", "dan"]) {
    const { body: bulk } = await post(edge, ALL, contextOf(user));
    expect(await enrolledUsers(edge)).toBe(["ann", "bob", "cyd", "dan"].indexOf(user));
    const { body: one } = await post(edge, ONE, contextOf(user));
    expect(bulk).toEqual({ flags: [one], metadata: {} });
  }
});

test("a user has the same variant through every way of asking", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  for (let user = 0; user < 40; user += 1) {
    const user_id = `user-${user}`;
    const { body: bulk } = await post(edge, ALL, contextOf(user_id));
    const { body: everywhere } = await call(assignEverywhere, edge.world, {
      body: { user_id, enrol: false },
    });
    const { body: one } = await post(edge, ONE, contextOf(user_id));
    const { body: own } = await call(assignVariant, edge.world, {
      params: { test_id: "1" },
      body: { user_id },
    });
    const [flag] = (bulk as { flags: { variant: string }[] }).flags;
    expect([flag?.variant, (one as { variant: string }).variant, everywhere.assignments[0]?.variant]).toEqual(
      [own.variant, own.variant, own.variant],
    );
  }
});

const shown = (variant: string, reason: string) => ({
  key: NAME,
  value: variant,
  reason,
  variant,
  metadata: { test_id: 1 },
});
const nothing = (reason: string) => ({ key: NAME, reason, metadata: { test_id: 1 } });

test.each<[string, object, object]>([
  [
    "a test stopped with a winner is a flag with the winner's value",
    { status: "stopped", winner: "blue" },
    shown("blue", "STATIC"),
  ],
  ["a test stopped without a winner shows the control", { status: "stopped" }, shown("red", "STATIC")],
  [
    "a paused test leaves users who are not in it to the code's default",
    { status: "paused" },
    nothing("DISABLED"),
  ],
  ["users outside of the traffic are left to the code's default", { traffic: 0 }, nothing("DEFAULT")],
  [
    "a tester is shown the variant that was forced",
    { forced: { ann: "blue" } },
    shown("blue", "TARGETING_MATCH"),
  ],
])("%s", async (_, changes, expected) => {
  const edge = openEdge();
  await withColours(edge.world);
  await change(edge, changes);
  expect((await post(edge, ONE, contextOf("ann"))).body).toEqual(expected);
  expect((await post(edge, ALL, contextOf("ann"))).body).toEqual({ flags: [expected], metadata: {} });
  expect(await enrolledUsers(edge)).toBe(0);
});

test("a draft has no value yet, and an archived test is no flag", async () => {
  const edge = openEdge();
  await withColours(edge.world, { changes: { status: "draft" } });
  expect((await post(edge, ONE, contextOf("ann"))).body).toEqual(nothing("DISABLED"));
  await change(edge, { status: "running" });
  await change(edge, { status: "stopped", winner: "blue" });
  await change(edge, { status: "archived" });
  expect(await post(edge, ONE, contextOf("ann"))).toMatchObject({
    status: 404,
    body: { key: NAME, errorCode: "FLAG_NOT_FOUND" },
  });
});

test.each<[string, string, unknown, number, object]>([
  ["an unknown flag", `${ALL}/other`, contextOf("ann"), 404, { key: "other", errorCode: "FLAG_NOT_FOUND" }],
  [
    "a name with a slash",
    `${ALL}/a/b%20c`,
    contextOf("ann"),
    404,
    { key: "a/b c", errorCode: "FLAG_NOT_FOUND" },
  ],
  ["a name that nothing can have", `${ALL}/a%00`, contextOf("ann"), 404, { errorCode: "FLAG_NOT_FOUND" }],
  ["no targeting key", ONE, { context: {} }, 400, { key: NAME, errorCode: "TARGETING_KEY_MISSING" }],
  [
    "a targeting key of another type",
    ONE,
    { context: { targetingKey: 7 } },
    400,
    { errorCode: "TARGETING_KEY_MISSING" },
  ],
  ["a context that is a list", ONE, { context: [] }, 400, { errorCode: "INVALID_CONTEXT" }],
  ["broken JSON", ONE, "{", 400, { key: NAME, errorCode: "PARSE_ERROR" }],
  ["broken JSON in bulk", ALL, "{", 400, { errorCode: "PARSE_ERROR" }],
])("%s is refused in OFREP's own words", async (_, path, body, status, expected) => {
  const edge = openEdge();
  await withColours(edge.world);
  const answer = await post(edge, path, body);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ ...expected, errorDetails: expect.stringMatching(/\w+/) });
  expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
});

test("unknown fields, parameters and deep contexts pass; flat facts become attributes of the assignment", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  const context = { targetingKey: "ann", country: "CH", age: 41, nested: { a: [1] }, __proto__x: null };
  const { status } = await post(edge, `${ONE}?v=2`, { context, sdk: "x" });
  expect(status).toBe(200);
  const { users } = await edge.world.storage.segmentUsers(1, "country", { after: null, limit: 9 });
  expect(users).toMatchObject([{ user_id: "ann", value: "CH" }]);
});

test("a client that has the flags already is told so, until they change", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  const first = await post(edge, ALL, contextOf("ann"));
  const etag = first.headers.etag ?? "";
  expect(etag).toMatch(/^"[\w-]{22}"$/);
  const again = await post(edge, ALL, contextOf("ann"), { "if-none-match": etag });
  expect([again.status, again.body, again.headers.etag]).toEqual([304, "", etag]);
  await change(edge, { status: "stopped", winner: "blue" });
  expect((await post(edge, ALL, contextOf("ann"), { "if-none-match": etag })).status).toBe(200);
});

test("any JSON at all gets a well-formed answer", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  const body = fc.oneof(
    anyJson,
    fc.record({ context: anyJson }),
    fc.record({ context: fc.record({ targetingKey: anyJson, extra: anyJson }) }),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(ONE, ALL), async (sent, path) => {
      const answer = await post(edge, path, JSON.stringify(sent));
      const keys = Object.keys(answer.body as object);
      if (answer.status === 200) expect(keys).toContain(path === ONE ? "key" : "flags");
      else expect([answer.status, keys.includes("errorCode")]).toEqual([400, true]);
    }),
    { numRuns: cases(150) },
  );
});

// --- The real clients.

test("the OpenFeature server SDK evaluates through this server, with either kind of key", async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world, { changes: { variants }, users: { ann: "blue", bob: "red" } });
  const ways: [string, string][] = [
    ["authorization", `Bearer ${WRITE_KEY}`],
    ["X-API-Key", WRITE_KEY],
  ];
  for (const [domain, key] of ways) {
    const headers = { [domain]: key };
    await OpenFeature.setProviderAndWait(domain, new OFREPProvider({ baseUrl: server.url, headers }));
    const client = OpenFeature.getClient(domain);
    expect(await client.getObjectDetails(NAME, {}, { targetingKey: "ann" })).toMatchObject({
      value: { colour: "#00f", rounded: false },
      variant: "blue",
      reason: "SPLIT",
      flagMetadata: { test_id: 1 },
    });
    expect(await client.getObjectValue(NAME, {}, { targetingKey: "bob" })).toEqual(variants[0]?.value);
    expect(await client.getStringDetails(NAME, "mine", { targetingKey: "ann" })).toMatchObject({
      value: "mine",
      errorCode: "TYPE_MISMATCH",
    });
    expect(await client.getBooleanDetails("other", true, { targetingKey: "ann" })).toMatchObject({
      value: true,
      errorCode: "FLAG_NOT_FOUND",
    });
    expect(await client.getObjectDetails(NAME, {}, {})).toMatchObject({ errorCode: "TARGETING_KEY_MISSING" });
  }
  onTestFinished(() => OpenFeature.clearProviders());
});

test("the OpenFeature server SDK gives the code's default while the server is away, and the variant again after", async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world, { users: { ann: "blue" } });
  const headers = { authorization: `Bearer ${WRITE_KEY}` };
  await OpenFeature.setProviderAndWait("away", new OFREPProvider({ baseUrl: server.url, headers }));
  onTestFinished(() => OpenFeature.clearProviders());
  const ask = () => OpenFeature.getClient("away").getStringValue(NAME, "mine", { targetingKey: "ann" });
  // A 429 comes last: the provider waits for the time that it names before it asks again.
  server.trouble("away", 503, 429);
  expect([await ask(), await ask(), await ask()]).toEqual(["mine", "mine", "mine"]);
  await expect.poll(ask).toBe("blue");
});

test("the OpenFeature web SDK has all flags at load, and is told when nothing has changed", async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world, { users: { ann: "blue" } });
  const provider = new OFREPWebProvider({
    baseUrl: server.url,
    pollInterval: 20,
    headers: [["X-API-Key", WRITE_KEY]],
  });
  await WebOpenFeature.setContext({ targetingKey: "ann", plan: "pro" });
  await WebOpenFeature.setProviderAndWait(provider);
  onTestFinished(() => WebOpenFeature.clearProviders());
  const client = WebOpenFeature.getClient();
  expect(client.getStringDetails(NAME, "mine")).toMatchObject({
    value: "blue",
    variant: "blue",
    reason: "SPLIT",
  });
  const { requests } = server.world.activity;
  const unchanged = () => requests.byEndpoint().get("ofrepEvaluateFlags")?.statuses.get(304) ?? 0;
  await expect.poll(unchanged).toBeGreaterThan(0);
  await change(server, { status: "stopped", winner: "red" });
  await expect
    .poll(() => client.getStringDetails(NAME, "mine"))
    .toMatchObject({ value: "red", reason: "STATIC" });
  // Only the user who was enrolled before: reading flags on a page does not enrol.
  expect(await enrolledUsers(server)).toBe(1);
});
