import { Umami } from "@umami/node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openEdge } from "../../world.ts";
import { KEYED, READ_KEY, serveCompatible, storedEvents, type Trouble, WRITE_KEY } from "./serve.ts";

// Random bodies take seconds on a busy machine.
const RANDOM_MS = 60_000;
const NOW = "2026-11-22T10:00:00.000Z";
const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const HEADERS = { "user-agent": CHROME, origin: "https://shop.example", "content-type": "application/json" };
const WEBSITE = "4fb7fa4c-5b46-438d-94b3-3a8fb9bc2e8b";

// As the tracker's script sends it.
const payload = {
  website: WEBSITE,
  hostname: "shop.example",
  language: "de-CH",
  referrer: "https://search.example/?q=shoes",
  screen: "1920x1080",
  title: "Shop",
  url: "https://shop.example/shoes?utm_source=mail&utm_campaign=spring&secret=1",
};
const place = {
  path: "/shoes",
  utm_source: "mail",
  utm_campaign: "spring",
  title: "Shop",
  referrer: "search.example",
  language: "de-CH",
  screen: "large",
  hostname: "shop.example",
};
const seen = { browser: "Chrome", os: "Windows", device: "desktop" };
const VISITOR = expect.stringMatching(/^[0-9a-f]{32}$/);
const stored = (event_type: string, properties: object, user_id: unknown = VISITOR, timestamp = NOW) => ({
  event_type,
  user_id,
  properties,
  timestamp,
});

test.each<[string, object, object]>([
  ["a view of a page", { type: "event", payload }, stored("page_view", { ...seen, ...place })],
  [
    "an event with its data",
    { type: "event", payload: { ...payload, name: "buy", data: { price: 12.5, title: "Mine" } } },
    stored("buy", { ...place, price: 12.5, title: "Mine" }),
  ],
  [
    "who the visitor is",
    { type: "identify", payload: { ...payload, id: "ann", data: { plan: "pro" } } },
    stored("identify", { ...place, plan: "pro" }, "ann"),
  ],
  [
    "a path without its host, a small screen, a tag and an old time in seconds",
    {
      type: "event",
      payload: {
        website: WEBSITE,
        url: "/a?q=1",
        screen: "390x844",
        tag: "b",
        id: 42,
        timestamp: 1_795_341_540,
      },
    },
    stored("page_view", { ...seen, path: "/a", screen: "small", tag: "b" }, "42", "2026-11-22T09:59:00.000Z"),
  ],
  [
    "a referrer of the site itself and an empty title",
    { type: "event", payload: { ...payload, referrer: "https://shop.example/", title: "", url: "/" } },
    stored("page_view", {
      ...seen,
      path: "/",
      language: "de-CH",
      screen: "large",
      hostname: "shop.example",
    }),
  ],
])("%s is stored with all its fields, alone and in a list", async (_, body, event) => {
  for (const path of ["/api/send", "/api/batch"]) {
    const edge = openEdge();
    const answer = await edge.send({
      method: "POST",
      path,
      headers: HEADERS,
      body: path.endsWith("batch") ? [body] : body,
    });
    expect(answer).toMatchObject({
      status: 200,
      body: path.endsWith("batch")
        ? { size: 1, processed: 1, errors: 0, cache: VISITOR }
        : { cache: VISITOR, sessionId: VISITOR, visitId: VISITOR },
    });
    expect(await storedEvents(edge)).toEqual([event]);
    expect((await edge.send({ path: "/apiv1/refusals" })).body).toEqual({ refusals: [] });
  }
});

test("a visitor is one user for a day, by address and user agent, and another one the next day", async () => {
  const edge = openEdge();
  const view = (address: string, agent: string) =>
    edge.send({
      method: "POST",
      path: "/api/send",
      headers: { ...HEADERS, "user-agent": agent },
      address,
      body: { type: "event", payload },
    });
  await view("127.0.0.1", CHROME);
  await view("127.0.0.1", CHROME);
  await view("127.0.0.2", CHROME);
  await view("127.0.0.1", `${CHROME} other`);
  edge.world.advance(86_400_000);
  await view("127.0.0.1", CHROME);
  const users = (await storedEvents(edge)).map(({ user_id }) => user_id);
  expect(users[0]).toBe(users[1]);
  expect(new Set(users).size).toBe(4);
  expect(JSON.stringify(await storedEvents(edge))).not.toMatch(/127\.0\.0|AppleWebKit/);
});

test("all processes with the same keys give a visitor the same id", async () => {
  const ids = await Promise.all(
    [
      openEdge(KEYED),
      openEdge(KEYED),
      openEdge({ keys: { read: [READ_KEY], write: [WRITE_KEY], admin: ["other-admin-key-1"] } }),
    ].map(async (edge) => {
      const body = { type: "event", payload: { ...payload, website: WRITE_KEY } };
      const answer = await edge.send({ method: "POST", path: "/api/send", headers: HEADERS, body });
      return (answer.body as { sessionId: string }).sessionId;
    }),
  );
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
});

test("what is no event of Umami is counted and listed, and the page is told of success", async () => {
  const edge = openEdge();
  const list = [{ type: "teleport", payload }, "text", { type: "event", payload: { ...payload, data: [1] } }];
  const answer = await edge.send({ method: "POST", path: "/api/batch", headers: HEADERS, body: list });
  expect(answer.status).toBe(200);
  expect(await storedEvents(edge)).toEqual([]);
  const { body } = await edge.send({ path: "/apiv1/refusals" });
  const { refusals } = body as {
    refusals: { endpoint: string; errors: { path: string }[]; count: number }[];
  };
  expect(refusals.map(({ endpoint, errors, count }) => [endpoint, errors[0]?.path, count])).toEqual([
    ["umamiBatch", "properties", 1],
    ["umamiBatch", "event_type", 2],
  ]);
});

test.each<[string, string | undefined, number]>([
  ["no web site", undefined, 401],
  ["a web site that is no key", WEBSITE, 401],
  ["a read key as its web site", READ_KEY, 403],
  ["a write key as its web site", WRITE_KEY, 200],
])("an event with %s is answered with status %s", async (_, website, status) => {
  const edge = openEdge(KEYED);
  const body = { type: "event", payload: { url: "/", website } };
  expect((await edge.send({ method: "POST", path: "/api/send", body })).status).toBe(status);
  expect((await edge.send({ method: "POST", path: "/api/batch", body: [body] })).status).toBe(status);
});

test("any JSON at all is answered", { timeout: RANDOM_MS }, async () => {
  const edge = openEdge();
  const item = fc.record(
    {
      type: fc.oneof(fc.constantFrom("event", "identify"), fc.jsonValue()),
      payload: fc.oneof(
        fc.jsonValue(),
        fc.record(
          {
            name: fc.jsonValue(),
            data: fc.jsonValue(),
            url: fc.oneof(fc.webUrl(), fc.jsonValue()),
            referrer: fc.oneof(fc.webUrl(), fc.jsonValue()),
            screen: fc.oneof(fc.constantFrom("1x1", "99999x1"), fc.jsonValue()),
            id: fc.jsonValue(),
            timestamp: fc.oneof(fc.double(), fc.jsonValue()),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(fc.jsonValue(), item, fc.array(item, { maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom("/api/send", "/api/batch"), async (sent, path) => {
      const answer = await edge.send({ method: "POST", path, headers: HEADERS, body: JSON.stringify(sent) });
      expect(answer).toMatchObject({ status: 200, body: { cache: VISITOR } });
    }),
    { numRuns: 150 },
  );
  expect((await edge.send({ path: "/apiv1/events/types" })).status).toBe(200);
});

test.each<[string, Trouble[], number]>([
  ["at once", [], 3],
  // Umami's clients do not send again.
  ["after 503", [503], 2],
  ["after the server was away", ["away"], 2],
])("what Umami's client for Node sends arrives once %s", async (_, troubles, count) => {
  const server = await serveCompatible(KEYED);
  const umami = new Umami({ websiteId: WRITE_KEY, hostUrl: server.url });
  server.trouble(...troubles);
  await umami.track({ url: "/home", title: "Home" }).catch(() => undefined);
  await umami.track("signup", { plan: "pro" });
  await umami.identify({ plan: "pro" });
  const events = await storedEvents(server);
  expect(events.map(({ event_type, properties }) => [event_type, properties])).toEqual(
    [
      ["page_view", { path: "/home", title: "Home" }],
      ["signup", { plan: "pro" }],
      ["identify", { plan: "pro" }],
    ].slice(3 - count),
  );
});
