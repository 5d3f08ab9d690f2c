import { Analytics } from "@segment/analytics-node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyJson } from "../../any-json.ts";
import { cases } from "../../random.ts";
import { openEdge } from "../../world.ts";
import { KEYED, READ_KEY, serveCompatible, storedEvents, type Trouble, WRITE_KEY } from "./serve.ts";

const AT = "2026-11-22T09:59:00.000Z";
// The client waits between its attempts.
const CLIENT_MS = 30_000;
const SUCCESS = { status: 200, body: { success: true } };

const context = {
  library: { name: "analytics-node", version: "3.1.0" },
  ip: "203.0.113.7",
  userAgent: "Mozilla/5.0",
  page: {
    path: "/a",
    referrer: "https://r.example/",
    search: "?q=1",
    title: "A",
    url: "https://s.example/a",
  },
  campaign: { name: "spring", source: "mail", medium: "email", term: "shoes", content: "top" },
  locale: "de-CH",
  timezone: "Europe/Zurich",
};

const flat = {
  library: "analytics-node",
  path: "/a",
  referrer: "https://r.example/",
  search: "?q=1",
  title: "A",
  url: "https://s.example/a",
  utm_campaign: "spring",
  utm_source: "mail",
  utm_medium: "email",
  utm_term: "shoes",
  utm_content: "top",
  locale: "de-CH",
  timezone: "Europe/Zurich",
};

const common = { timestamp: AT, context, integrations: { All: true } };
const stored = (event_type: string, user_id: string | null, properties: object) => ({
  event_type,
  user_id,
  properties: { ...flat, ...properties },
  timestamp: AT,
});

test.each<[string, string, object, object[]]>([
  [
    "track",
    "t",
    { event: "Order Completed", userId: "ann", properties: { revenue: 12.5, items: [{ sku: "x" }] } },
    [stored("Order Completed", "ann", { revenue: 12.5, items: [{ sku: "x" }] })],
  ],
  [
    "page",
    "p",
    { name: "Home", category: "shop", anonymousId: "a-1", properties: { title: "Better" } },
    [stored("page_view", "a-1", { name: "Home", category: "shop", title: "Better" })],
  ],
  ["screen", "s", { name: "Cart", userId: 42 }, [stored("screen_view", "42", { name: "Cart" })]],
  [
    "identify",
    "i",
    { userId: "ann", anonymousId: "a-1", traits: { plan: "pro" } },
    [stored("identify", "ann", { plan: "pro" })],
  ],
  [
    "group",
    "g",
    { userId: "ann", groupId: "acme", traits: { size: 7 } },
    [stored("group", "ann", { group_id: "acme", size: 7 })],
  ],
  ["alias", "a", { userId: "ann", previousId: "a-1" }, []],
])(
  "%s is stored with all its fields, by its name, its letter and in a batch",
  async (name, letter, fields, events) => {
    for (const path of [`/v1/${name}`, `/v1/${letter}`, "/v1/batch", "/v1/b"]) {
      const edge = openEdge();
      const item = { ...common, ...fields, type: name, messageId: "m-1" };
      const body = path.startsWith("/v1/b") ? { batch: [item], sentAt: AT, writeKey: "x" } : item;
      expect(await edge.send({ method: "POST", path, body })).toMatchObject(SUCCESS);
      // Sent again, as a client does that has not seen the answer.
      expect(await edge.send({ method: "POST", path, body })).toMatchObject(SUCCESS);
      expect(await storedEvents(edge)).toEqual(events);
      expect((await edge.send({ path: "/apiv1/refusals" })).body).toEqual({ refusals: [] });
    }
  },
);

test.each([
  ["identify", { userId: "ann", anonymousId: "a-1" }],
  ["alias", { userId: "ann", previousId: "a-1" }],
])("%s makes both ids one person", async (call, body) => {
  const edge = openEdge();
  await edge.send({ method: "POST", path: `/v1/${call}`, body: { messageId: "m", ...body } });
  const alias = { method: "POST", path: "/apiv1/users/alias" } as const;
  const known = await edge.send({ ...alias, body: { anonymous_id: "a-1", user_id: "ann" } });
  expect(known.status).toBe(200);
  const other = await edge.send({ ...alias, body: { anonymous_id: "a-1", user_id: "bob" } });
  expect(other.status).toBe(409);
});

test("a bad item is left out alone, counted and listed, and the client is told of success", async () => {
  const edge = openEdge();
  const batch = [
    { type: "track", event: "good", messageId: "1", userId: "ann" },
    { type: "track", event: " ", messageId: "2", userId: "ann" },
    { type: "track", event: "deep", messageId: "3", properties: nested(30) },
    { type: "teleport", messageId: "4" },
    "text",
    { type: "alias", previousId: "a-1", userId: "ann" },
    { type: "alias", previousId: "a-1", userId: "bob" },
    { type: "track", event: "good", messageId: "5", userId: "bob", properties: [1] },
  ];
  expect(await edge.send({ method: "POST", path: "/v1/batch", body: { batch } })).toMatchObject(SUCCESS);
  expect((await storedEvents(edge)).map(({ event_type }) => event_type)).toEqual(["good"]);
  const { body } = await edge.send({ path: "/apiv1/refusals" });
  const { refusals } = body as {
    refusals: { endpoint: string; errors: { path: string }[]; count: number }[];
  };
  expect(refusals.map(({ errors, count }) => [errors[0]?.path, count])).toEqual([
    ["anonymous_id", 1],
    ["properties", 1],
    ["event_type", 2],
    [expect.stringMatching(/^properties\.a\.a/), 1],
    ["event_type", 1],
  ]);
  expect(new Set(refusals.map(({ endpoint }) => endpoint))).toEqual(new Set(["segmentCall"]));
});

function nested(levels: number): object {
  return levels === 0 ? {} : { a: nested(levels - 1) };
}

test.each<[string, object, number]>([
  ["no key", {}, 401],
  ["a wrong key in the body", { writeKey: "wrong-key-0123456789" }, 401],
  ["a read key in the body", { writeKey: READ_KEY }, 403],
  ["the write key in the body", { writeKey: WRITE_KEY }, 200],
])("%s is answered %s with status %i", async (_, key, status) => {
  const edge = openEdge(KEYED);
  const body = { type: "track", event: "e", ...key };
  expect((await edge.send({ method: "POST", path: "/v1/track", body })).status).toBe(status);
});

test("broken JSON is refused with 400, and an unknown call with 404", async () => {
  const edge = openEdge();
  expect((await edge.send({ method: "POST", path: "/v1/batch", body: "{" })).status).toBe(400);
  expect((await edge.send({ method: "POST", path: "/v1/teleport", body: {} })).status).toBe(404);
});

test("the settings of a page's client point it to the address that it asked at", async () => {
  const edge = openEdge(KEYED);
  const settings = (headers: Record<string, string>) =>
    edge.send({ path: `/v1/projects/${WRITE_KEY}/settings`, headers });
  const answer = (apiHost: string, protocol: string) => ({
    status: 200,
    body: { integrations: { "Segment.io": { apiKey: WRITE_KEY, apiHost, protocol } } },
  });
  expect(await settings({ host: "127.0.0.1:20000" })).toMatchObject(answer("127.0.0.1:20000/v1", "http"));
  expect(await settings({ host: "a.example", "x-forwarded-proto": "https" })).toMatchObject(
    answer("a.example/v1", "https"),
  );
  expect((await edge.send({ path: "/v1/projects/wrong-key-0123456789/settings" })).status).toBe(401);
});

test("any JSON at all is answered, and what is stored of it is well formed", async () => {
  const edge = openEdge();
  const item = fc.record(
    {
      type: fc.constantFrom("track", "page", "alias", "identify", 7),
      event: anyJson,
      userId: anyJson,
    },
    { requiredKeys: [] },
  );
  const noisy = fc.tuple(item, anyJson).map(([one, any]) => ({ ...one, properties: any, context: any }));
  const body = fc.oneof(anyJson, noisy, fc.record({ batch: fc.oneof(anyJson, fc.array(noisy)) }));
  const path = fc.constantFrom("/v1/batch", "/v1/track", "/v1/i", "/v1/a", "/v1/screen");
  await fc.assert(
    fc.asyncProperty(body, path, async (sent, to) => {
      expect(await edge.send({ method: "POST", path: to, body: JSON.stringify(sent) })).toMatchObject(
        SUCCESS,
      );
    }),
    { numRuns: cases(150) },
  );
  expect((await edge.send({ path: "/apiv1/events/types" })).status).toBe(200);
});

test.each<[string, Trouble[]]>([
  ["at once", []],
  ["after the server was away", ["away", "away"]],
  ["after 503 and 429", [503, 429]],
])("what Segment's client for Node sends arrives once %s", { timeout: CLIENT_MS }, async (_, troubles) => {
  const server = await serveCompatible(KEYED);
  const analytics = new Analytics({ writeKey: WRITE_KEY, host: server.url, maxRetries: 9, flushInterval: 5 });
  server.trouble(...troubles);
  analytics.identify({ userId: "ann", anonymousId: "a-1", traits: { plan: "pro" } });
  for (let n = 0; n < 20; n += 1) analytics.track({ userId: "ann", event: `event ${n}`, properties: { n } });
  analytics.page({ userId: "ann", name: "Home", properties: { url: "https://s.example/" } });
  analytics.alias({ userId: "ann", previousId: "a-2" });
  await analytics.closeAndFlush();
  await expect.poll(async () => (await storedEvents(server)).length).toBe(22);
  const events = await storedEvents(server);
  const tracked = events.filter(({ event_type }) => event_type.startsWith("event "));
  expect(tracked.map(({ properties }) => properties?.n).sort()).toEqual([...Array(20).keys()].sort());
  expect(events.every(({ user_id }) => user_id === "ann")).toBe(true);
  expect(events.some(({ event_type }) => event_type === "page_view")).toBe(true);
});
