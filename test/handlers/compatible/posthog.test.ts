import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { PostHog } from "posthog-node";
import { expect, onTestFinished, test } from "vitest";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { updateExperiment } from "../../../handlers/experiments/update-experiment.ts";
import { anyJson } from "../../any-json.ts";
import { cases } from "../../random.ts";
import { call, MINUTE, openEdge, type TestEdge, withColours } from "../../world.ts";
import {
  enrolledUsers,
  KEYED,
  READ_KEY,
  serveCompatible,
  storedEvents,
  type Trouble,
  WRITE_KEY,
} from "./serve.ts";

const AT = "2026-11-22T09:59:00.000Z";
const UUID = "019aa000-0000-7000-8000-000000000001";
const NAME = "homepage_button_color";
const PATHS = ["/batch/", "/batch", "/e/", "/i/v0/e/", "/capture/"];
// The client waits between its attempts.
const CLIENT_MS = 30_000;

const post = ({ send }: TestEdge, path: string, body: unknown, headers = {}) =>
  send({ method: "POST", path, body, headers });
const OK = { status: 200, body: { status: 1 } };

test.each<[string, object, object]>([
  [
    "an event",
    {
      event: "buy",
      distinct_id: "ann",
      properties: { price: 7, $lib: "posthog-node", token: "t" },
      timestamp: AT,
    },
    { event_type: "buy", user_id: "ann", properties: { price: 7, $lib: "posthog-node" }, timestamp: AT },
  ],
  [
    "a page view of a page's client, whose id is among the properties",
    {
      event: "$pageview",
      properties: {
        distinct_id: "a-1",
        token: "t",
        $current_url: "https://s.example/a",
        $pathname: "/a",
        $referrer: "https://r.example/",
        $session_id: "s-1",
        $ip: "203.0.113.7",
        utm_source: "mail",
      },
      timestamp: AT,
    },
    {
      event_type: "page_view",
      user_id: "a-1",
      session_id: "s-1",
      properties: {
        url: "https://s.example/a",
        path: "/a",
        referrer: "https://r.example/",
        utm_source: "mail",
      },
      timestamp: AT,
    },
  ],
  [
    "an event of an old client, which says how long ago it happened",
    { event: "$pageleave", distinct_id: 42, offset: 90_000 },
    { event_type: "page_leave", user_id: "42", properties: {}, timestamp: "2026-11-22T09:58:30.000Z" },
  ],
  [
    "an event of the product's own",
    { event: "$groupidentify", distinct_id: "ann", properties: { $group_type: "org" }, timestamp: AT },
    { event_type: "$groupidentify", user_id: "ann", properties: { $group_type: "org" }, timestamp: AT },
  ],
])(
  "%s is stored with all its fields, alone, in a list and in a batch, and once",
  async (_, fields, stored) => {
    for (const path of PATHS) {
      const edge = openEdge();
      const item = { ...fields, uuid: UUID };
      for (const body of [
        { api_key: "k", ...item },
        [item],
        { api_key: "k", batch: [item], historical_migration: true },
      ]) {
        expect(await post(edge, path, body)).toMatchObject(OK);
      }
      expect(await storedEvents(edge)).toEqual([stored]);
    }
  },
);

test("a body is read in every way in which clients pack it", async () => {
  const json = JSON.stringify({ api_key: "k", batch: [{ event: "buy", distinct_id: "ann", uuid: UUID }] });
  const base64 = `data=${encodeURIComponent(Buffer.from(json).toString("base64"))}`;
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const ways: [string, unknown, Record<string, string>][] = [
    ["/batch/", json, { "content-type": "application/json" }],
    ["/batch/", gzipSync(json), { "content-type": "application/json", "content-encoding": "gzip" }],
    ["/e/?ip=0&_=1&ver=1.449.2", gzipSync(json), { "content-type": "text/plain" }],
    ["/e/?compression=base64", base64, form],
    ["/e/", `data=${encodeURIComponent(json)}`, form],
  ];
  for (const [path, body, headers] of ways) {
    const edge = openEdge();
    expect(await post(edge, path, body, headers)).toMatchObject(OK);
    expect((await storedEvents(edge)).map(({ event_type }) => event_type)).toEqual(["buy"]);
  }
  const edge = openEdge();
  expect((await post(edge, "/e/", Buffer.from([0x1f, 0x8b, 1, 2]))).status).toBe(400);
  expect((await post(edge, "/e/", "data=%%%", form)).status).toBe(400);
});

test.each<[string, unknown, number]>([
  ["no key", { event: "e" }, 401],
  ["a wrong key", { api_key: "wrong-key-0123456789", event: "e" }, 401],
  ["a read key", { api_key: READ_KEY, event: "e" }, 403],
  ["the write key", { api_key: WRITE_KEY, event: "e" }, 200],
  [
    "the write key as the token of a list's first event",
    [{ event: "e", properties: { token: WRITE_KEY } }],
    200,
  ],
])("%s in the body is judged as in a header", async (_, body, status) => {
  expect((await post(openEdge(KEYED), "/batch/", body)).status).toBe(status);
});

test.each([
  ["$identify", { $anon_distinct_id: "a-1" }],
  ["$create_alias", { alias: "a-1" }],
])("%s makes both ids one person", async (event, properties) => {
  const edge = openEdge();
  await post(edge, "/capture/", { event, distinct_id: "ann", properties });
  const known = await post(edge, "/apiv1/users/alias", { anonymous_id: "a-1", user_id: "ann" });
  expect(known.status).toBe(200);
});

test("only an event that identifies a person links the id before", async () => {
  const edge = openEdge();
  const properties = { $anon_distinct_id: "a-1" };
  await post(edge, "/capture/", { event: "buy", distinct_id: "ann", properties });
  const body = { anonymous_id: "a-1", user_id: "ann" };
  expect((await post(edge, "/apiv1/users/alias", body)).status).toBe(201);
});

test("bad items are left out alone, and listed", async () => {
  const edge = openEdge();
  const batch = [
    { event: "good", distinct_id: "ann" },
    { distinct_id: "ann" },
    { event: "list", distinct_id: "ann", properties: [1] },
    7,
  ];
  expect(await post(edge, "/batch/", { batch })).toMatchObject(OK);
  expect((await storedEvents(edge)).map(({ event_type }) => event_type)).toEqual(["good"]);
  expect((await edge.send({ path: "/apiv1/refusals" })).body).toMatchObject({
    refusals: [
      { endpoint: "posthogBatch", errors: [{ path: "event_type", message: "is required" }], count: 2 },
      { endpoint: "posthogBatch", errors: [{ path: "properties" }], count: 1 },
    ],
  });
});

test("flags show what the user would get, and enrol nobody; older clients read the same in their own form", async () => {
  const edge = openEdge();
  await withColours(edge.world, {
    changes: { variants: [{ variant_name: "red", value: { hex: "#f00" } }, { variant_name: "blue" }] },
    users: { ann: "red" },
  });
  const answer = {
    flags: {
      [NAME]: {
        key: NAME,
        enabled: true,
        variant: "red",
        reason: { code: "condition_match", condition_index: 0, description: "assigned" },
        metadata: { id: 1, version: 1, payload: '{"hex":"#f00"}' },
      },
    },
    featureFlags: { [NAME]: "red" },
    featureFlagPayloads: { [NAME]: '{"hex":"#f00"}' },
    errorsWhileComputingFlags: false,
    requestId: expect.stringMatching(/^salt-\d$/),
  };
  for (const path of ["/flags/?v=2", "/decide/?v=3"]) {
    expect((await post(edge, path, { token: "t", distinct_id: "ann", groups: {} })).body).toEqual(answer);
    await post(edge, path, { distinct_id: "bob" });
  }
  expect(await enrolledUsers(edge)).toBe(1);
  await call(updateExperiment, edge.world, { params: { test_id: "1" }, body: { status: "paused" } });
  expect((await post(edge, "/flags/", { distinct_id: "bob" })).body).toMatchObject({
    flags: { [NAME]: { enabled: false, reason: { description: "paused" } } },
    featureFlags: { [NAME]: false },
    featureFlagPayloads: {},
  });
});

test("flags are read from a packed body too", async () => {
  const edge = openEdge();
  await withColours(edge.world, { users: { ann: "red" } });
  const json = JSON.stringify({ token: "t", distinct_id: "ann" });
  const form = `data=${encodeURIComponent(Buffer.from(json).toString("base64"))}`;
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const answers = [
    await post(edge, "/flags/?v=2", gzipSync(json), { "content-type": "text/plain" }),
    await post(edge, "/decide/?compression=base64", form, headers),
  ];
  for (const { body } of answers) expect(body).toMatchObject({ featureFlags: { [NAME]: "red" } });
});

/** The variant that a user would get. */
async function flagOf(edge: TestEdge, distinct_id: string): Promise<string> {
  const { body } = await post(edge, "/flags/?v=2", { distinct_id });
  return (body as { featureFlags: Record<string, string> }).featureFlags[NAME] ?? "";
}

const called = (distinct_id: string, response: unknown, changes: object = {}) => ({
  event: "$feature_flag_called",
  distinct_id,
  properties: { $feature_flag: NAME, $feature_flag_response: response },
  ...changes,
});

test("a user who has seen a flag is enrolled once, as of then, with the variant that was shown", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  edge.world.advance(10 * MINUTE);
  const shown = await flagOf(edge, "ann");
  const timestamp = "2026-11-22T10:05:00.000Z";
  const batch = [called("ann", shown, { timestamp }), called("ann", shown)];
  expect(await post(edge, "/batch/", { batch })).toMatchObject(OK);
  expect(await enrolledUsers(edge)).toBe(1);
  const { body } = await call(assignVariant, edge.world, {
    params: { test_id: "1" },
    body: { user_id: "ann" },
  });
  expect(body.variant).toBe(shown);
  expect(body).toMatchObject({ assigned_at: timestamp });
});

test("a user who has seen another variant, the code's default or another flag is not enrolled", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  const other = (await flagOf(edge, "ann")) === "red" ? "blue" : "red";
  const elsewhere = { properties: { $feature_flag: "elsewhere", $feature_flag_response: "red" } };
  for (const event of [
    called("ann", other),
    called("bob", false),
    called("cyd", "red", elsewhere),
    called("", "red"),
  ]) {
    expect(await post(edge, "/capture/", event)).toMatchObject(OK);
  }
  expect(await enrolledUsers(edge)).toBe(0);
  const { body } = await edge.send({ path: "/apiv1/refusals" });
  expect(JSON.stringify(body)).toContain("is not the variant that this user gets now");
});

test("any JSON at all is answered", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  const event = fc.constantFrom("buy", "$identify", "$create_alias", "$feature_flag_called", 7);
  const properties = fc.oneof(
    anyJson,
    fc.record({
      $feature_flag: fc.constant(NAME),
      $feature_flag_response: anyJson,
      alias: anyJson,
    }),
  );
  const item = fc.record({
    event,
    distinct_id: anyJson,
    properties,
    offset: anyJson,
    timestamp: anyJson,
  });
  const body = fc.oneof(
    anyJson,
    item,
    fc.array(item),
    fc.record({ batch: fc.array(item), sent_at: anyJson }),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(...PATHS, "/flags/", "/decide/"), async (sent, path) => {
      const { status } = await post(edge, path, JSON.stringify(sent));
      expect(PATHS.includes(path) ? [200] : [200, 400]).toContain(status);
    }),
    { numRuns: cases(150) },
  );
});

// --- The real client.

function clientOf(url: string): PostHog {
  const client = new PostHog(WRITE_KEY, {
    host: url,
    flushAt: 1_000,
    fetchRetryCount: 5,
    fetchRetryDelay: 5,
  });
  onTestFinished(() => client.shutdown());
  return client;
}

test.each<[string, Trouble[]]>([
  ["at once", []],
  ["after the server was away", ["away", "away"]],
  ["after 503 and 429", [503, 429]],
])("what PostHog's client for Node sends arrives once %s", { timeout: CLIENT_MS }, async (_, troubles) => {
  const server = await serveCompatible(KEYED);
  const client = clientOf(server.url);
  server.trouble(...troubles);
  client.identify({ distinctId: "ann", properties: { plan: "pro" } });
  for (let n = 0; n < 20; n += 1)
    client.capture({ distinctId: "ann", event: `event ${n}`, properties: { n } });
  client.alias({ distinctId: "ann", alias: "a-1" });
  await client.flush();
  await expect.poll(async () => (await storedEvents(server)).length).toBe(22);
  const events = await storedEvents(server);
  const tracked = events.filter(({ event_type }) => event_type.startsWith("event "));
  expect(tracked.map(({ properties }) => properties?.n)).toEqual([...Array(20).keys()]);
  expect(events.every(({ user_id }) => user_id === "ann")).toBe(true);
  const known = await post(
    server,
    "/apiv1/users/alias",
    { anonymous_id: "a-1", user_id: "ann" },
    { "x-api-key": WRITE_KEY },
  );
  expect(known.status).toBe(200);
});

test("PostHog's client for Node reads flags with payloads, and its exposure enrols the user once", {
  timeout: CLIENT_MS,
}, async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world, {
    changes: {
      variants: [
        { variant_name: "red", value: { hex: "#f00" } },
        { variant_name: "blue", value: { hex: "#00f" } },
      ],
    },
  });
  const client = clientOf(server.url);
  const variant = await client.getFeatureFlag(NAME, "ann");
  expect(await client.getAllFlags("ann")).toEqual({ [NAME]: variant });
  expect(await client.getFeatureFlagPayload(NAME, "ann")).toEqual({
    hex: variant === "red" ? "#f00" : "#00f",
  });
  await client.getFeatureFlag(NAME, "ann");
  await client.flush();
  await expect.poll(() => enrolledUsers(server)).toBe(1);
  const { body } = await call(assignVariant, server.world, {
    params: { test_id: "1" },
    body: { user_id: "ann" },
  });
  expect(body.variant).toBe(variant);
});

test("PostHog's client for Node knows no flag while the server is away, and the variant again after", {
  timeout: CLIENT_MS,
}, async () => {
  const server = await serveCompatible(KEYED);
  await withColours(server.world, { users: { ann: "blue" } });
  const client = clientOf(server.url);
  server.trouble("away", "away", "away", "away", "away", "away");
  expect(await client.getFeatureFlag(NAME, "ann")).toBeUndefined();
  server.trouble();
  expect(await client.getFeatureFlag(NAME, "ann")).toBe("blue");
});
