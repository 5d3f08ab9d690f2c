import fc from "fast-check";
import { expect, test } from "vitest";
import { openEdge } from "../../world.ts";
import { KEYED, READ_KEY, storedEvents, WRITE_KEY } from "./serve.ts";

// Random bodies take seconds on a busy machine.
const RANDOM_MS = 60_000;
const NOW = "2026-11-22T10:00:00.000Z";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const HEADERS = { "user-agent": FIREFOX, origin: "https://shop.example", "content-type": "text/plain" };
const ACCEPTED = { status: 202, body: "" };

const url = "https://shop.example/shoes?utm_source=mail&secret=1";
const common = { d: "shop.example", u: url, r: "https://search.example/a", v: 36 };
const place = {
  path: "/shoes",
  utm_source: "mail",
  hostname: "shop.example",
  domain: "shop.example",
  referrer: "search.example",
};
const seen = { browser: "Firefox", os: "Linux", device: "desktop" };
const stored = (event_type: string, properties: object) => ({
  event_type,
  user_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  properties,
  timestamp: NOW,
});

test.each<[string, object, object]>([
  ["a view of a page", { n: "pageview", ...common }, stored("page_view", { ...seen, ...place })],
  [
    "a view with the long names of the events API",
    { name: "pageview", domain: "shop.example", url, referrer: common.r, props: { plan: "pro" } },
    stored("page_view", { ...seen, ...place, plan: "pro" }),
  ],
  [
    "an event with properties and revenue",
    { n: "Purchase", ...common, p: { plan: "pro" }, $: { amount: "12.50", currency: "EUR" } },
    stored("Purchase", { ...place, revenue: 12.5, currency: "EUR", plan: "pro" }),
  ],
  [
    "properties and revenue as text, as old scripts send them",
    { n: "Purchase", ...common, p: '{"plan":"pro"}', $: '{"amount":12.5,"currency":"EUR"}' },
    stored("Purchase", { ...place, revenue: 12.5, currency: "EUR", plan: "pro" }),
  ],
  [
    "time and depth of a visit",
    { n: "engagement", ...common, sd: 80, e: 4000 },
    stored("engagement", { ...place, engagement_time: 4000, scroll_depth: 80 }),
  ],
  [
    "a click on an outbound link",
    { n: "Outbound Link: Click", ...common, p: { url: "https://other.example/" } },
    stored("outbound_link", { ...place, url: "https://other.example/" }),
  ],
  [
    "a download",
    { n: "File Download", ...common, r: null, p: { url: "https://shop.example/a.pdf" } },
    stored("download", { ...place, referrer: undefined, url: "https://shop.example/a.pdf" }),
  ],
])("%s is stored with all its fields", async (_, body, event) => {
  const edge = openEdge();
  const sent = { method: "POST", path: "/api/event", headers: HEADERS, body: JSON.stringify(body) };
  expect(await edge.send(sent)).toMatchObject(ACCEPTED);
  expect(await storedEvents(edge)).toEqual([event]);
  expect((await edge.send({ path: "/apiv1/refusals" })).body).toEqual({ refusals: [] });
});

test.each<[string, unknown, string]>([
  ["an event without a name", { ...common }, "event_type"],
  ["properties that are no object", { n: "a", p: [1] }, "properties"],
  ["properties that are text but no JSON", { n: "a", p: "{" }, "properties"],
  ["a number in text that JSON cannot keep", { n: "a", p: '{"order":9007199254740993}' }, "properties.order"],
])("%s is listed as a refusal, and the page is told of success", async (_, body, path) => {
  const edge = openEdge();
  expect(await edge.send({ method: "POST", path: "/api/event", headers: HEADERS, body })).toMatchObject(
    ACCEPTED,
  );
  expect(await storedEvents(edge)).toEqual([]);
  const { refusals } = (await edge.send({ path: "/apiv1/refusals" })).body as {
    refusals: { endpoint: string; errors: { path: string }[] }[];
  };
  expect(refusals.map(({ endpoint, errors }) => [endpoint, errors[0]?.path])).toEqual([
    ["plausibleEvent", path],
  ]);
});

test.each<[string, string, number]>([
  ["no key", "", 401],
  ["a read key", `?key=${READ_KEY}`, 403],
  ["a write key", `?key=${WRITE_KEY}`, 202],
])(
  "with %s in the address of the endpoint an event is answered with status %s%i",
  async (_, query, status) => {
    const edge = openEdge(KEYED);
    const body = { n: "pageview", ...common };
    expect(
      (await edge.send({ method: "POST", path: `/api/event${query}`, headers: HEADERS, body })).status,
    ).toBe(status);
  },
);

test("broken JSON is refused with 400", async () => {
  const edge = openEdge();
  expect((await edge.send({ method: "POST", path: "/api/event", headers: HEADERS, body: "{" })).status).toBe(
    400,
  );
});

test("any JSON at all is answered", { timeout: RANDOM_MS }, async () => {
  const edge = openEdge();
  const any = fc.oneof(fc.jsonValue(), fc.webUrl(), fc.json());
  const event = fc.dictionary(fc.constantFrom(..."n,name,u,url,d,r,p,props,m,$,e,sd,h".split(",")), any);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), event), async (sent) => {
      const body = JSON.stringify(sent);
      expect(await edge.send({ method: "POST", path: "/api/event", headers: HEADERS, body })).toMatchObject(
        ACCEPTED,
      );
    }),
    { numRuns: 200 },
  );
  expect((await edge.send({ path: "/apiv1/events/types" })).status).toBe(200);
});
