import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from "cloudevents";
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyJson } from "../../any-json.ts";
import { cases } from "../../random.ts";
import { openEdge } from "../../world.ts";
import { KEYED, serveCompatible, storedEvents, WRITE_KEY } from "./serve.ts";

const PATH = "/apiv1/cloudevents";
const AT = "2026-11-22T09:59:00.000Z";
const SUCCESS = { status: 200, body: { success: true } };

const paid = (changes: object = {}) =>
  new CloudEvent({
    source: "/shop",
    id: "7",
    type: "order.paid",
    subject: "ann",
    time: AT,
    traceparent: "00-1",
    data: { price: 12.5, items: [{ sku: "x" }] },
    ...changes,
  });
const stored = (properties: object) => ({
  event_type: "order.paid",
  user_id: "ann",
  properties,
  timestamp: AT,
});

const headersOf = (headers: object) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));

test("an event has the same fields in every mode, and is stored once over all of them", async () => {
  const edge = openEdge();
  const event = paid();
  const batch = {
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify([event, event]),
  };
  for (const { headers, body } of [HTTP.structured(event), HTTP.binary(event), batch]) {
    expect(await edge.send({ method: "POST", path: PATH, headers: headersOf(headers), body })).toMatchObject(
      SUCCESS,
    );
    expect(await storedEvents(edge)).toEqual([
      stored({ source: "/shop", price: 12.5, items: [{ sku: "x" }] }),
    ]);
  }
});

test.each<[string, object, object]>([
  ["an object's own source", { data: { source: "mine" } }, { source: "mine" }],
  ["a list", { data: [1, 2] }, { source: "/shop", data: [1, 2] }],
  ["no data", { data: undefined }, { source: "/shop" }],
])("%s as data is kept in structured and in binary mode", async (_, changes, properties) => {
  for (const mode of [HTTP.structured, HTTP.binary]) {
    const edge = openEdge();
    const { headers, body } = mode(paid(changes));
    expect(await edge.send({ method: "POST", path: PATH, headers: headersOf(headers), body })).toMatchObject(
      SUCCESS,
    );
    expect(await storedEvents(edge)).toEqual([stored(properties)]);
  }
});

test("attributes beside the body may be escaped", async () => {
  const edge = openEdge();
  const headers = { "ce-type": "order.paid", "ce-subject": "J%C3%BCrg", "ce-time": AT, "ce-source": "100%" };
  await edge.send({ method: "POST", path: PATH, headers, body: { price: 1 } });
  expect(await storedEvents(edge)).toEqual([
    { ...stored({ source: "100%", price: 1 }), user_id: "J\u00fcrg" },
  ]);
});

test("events without a source are stored each, whatever their ids are", async () => {
  const edge = openEdge();
  const headers = { "content-type": "application/cloudevents+json" };
  const body = { specversion: "1.0", id: "7", type: "order.paid", subject: "ann", time: AT };
  for (let n = 0; n < 2; n += 1)
    expect(await edge.send({ method: "POST", path: PATH, headers, body })).toMatchObject(SUCCESS);
  expect(await storedEvents(edge)).toEqual([stored({}), stored({})]);
});

test("two sources may use the same id, and long ones are told apart", async () => {
  const edge = openEdge();
  const source = `/${"long".repeat(100)}`;
  const events = [
    paid(),
    paid({ source: "/other" }),
    paid({ source }),
    paid({ source, id: "8" }),
    paid({ source }),
  ];
  await edge.send({ method: "POST", path: PATH, body: events });
  expect(await storedEvents(edge)).toHaveLength(4);
});

test("a bad event is left out of a batch alone, and listed", async () => {
  const edge = openEdge();
  const body = [
    { ...paid().toJSON() },
    { source: "/shop", id: "9" },
    7,
    { ...paid().toJSON(), id: "10", time: "noon" },
  ];
  expect(await edge.send({ method: "POST", path: PATH, body })).toMatchObject(SUCCESS);
  expect(await storedEvents(edge)).toHaveLength(1);
  expect((await edge.send({ path: "/apiv1/refusals" })).body).toMatchObject({
    refusals: [
      { endpoint: "cloudEvents", errors: [{ path: "timestamp" }], count: 1 },
      { endpoint: "cloudEvents", errors: [{ path: "event_type" }], count: 2 },
    ],
  });
});

test("any JSON at all is answered, whatever attributes are beside it", async () => {
  const edge = openEdge();
  const text = fc.string({ unit: fc.constantFrom("a", "%", "2", "é") });
  const attributes = fc.record(
    { "ce-type": text, "ce-id": text, "ce-source": text, "ce-time": text },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(anyJson, attributes, async (sent, headers) => {
      const answer = await edge.send({ method: "POST", path: PATH, headers, body: JSON.stringify(sent) });
      expect(answer).toMatchObject(SUCCESS);
    }),
    { numRuns: cases(150) },
  );
});

test.each([Mode.BINARY, Mode.STRUCTURED])(
  "the CloudEvents SDK sends in %s mode, and what is sent again is stored once",
  async (mode) => {
    const server = await serveCompatible(KEYED);
    const emit = emitterFor(httpTransport(`${server.url}${PATH}?key=${WRITE_KEY}`), { mode });
    server.trouble("away", 503, 429);
    await expect(emit(paid())).rejects.toThrow();
    for (let attempt = 0; attempt < 4; attempt += 1) await emit(paid());
    expect(await storedEvents(server)).toEqual([
      stored({ source: "/shop", price: 12.5, items: [{ sku: "x" }] }),
    ]);
  },
);
