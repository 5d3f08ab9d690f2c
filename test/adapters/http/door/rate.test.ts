import { describe, expect, test } from "vitest";
import { parseNetwork } from "../../../../adapters/addresses.ts";
import { openEdge, type TestEdge, type TestRequest } from "../../../world.ts";

const WRITE = "write-key-0123456789";
const OTHER = "other-key-0123456789";
const READ = "read-key-0123456789";
const ADMIN = "admin-key-0123456789";
const keys = { write: [WRITE, OTHER], read: [READ], admin: [ADMIN] };
const event = { method: "POST", path: "/apiv1/events", body: { event_type: "a" } };
const list = { path: "/apiv1/ab-tests" };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const single = { perSecond: 1, burst: 1 };

const statusOf = async ({ send }: TestEdge, request: TestRequest) => (await send(request)).status;

test("callers are not limited by default", async () => {
  const { send } = openEdge();
  for (let n = 0; n < 50; n += 1) expect((await send(event)).status).toBe(201);
});

test("requests are limited to a burst and then to the rate, and a refusal has Retry-After", async () => {
  const { send, world } = openEdge({ rate: { perSecond: 0.5, burst: 3 } });
  const statuses = async (count: number) => {
    const found: number[] = [];
    for (let n = 0; n < count; n += 1) found.push((await send(event)).status);
    return found;
  };
  expect(await statuses(4)).toEqual([201, 201, 201, 429]);
  const { headers, body } = await send(event);
  expect(headers["retry-after"]).toBe("2");
  expect(body).toStrictEqual({
    type: "about:blank",
    title: "Too many requests",
    status: 429,
    detail: "This caller sends more than 0.5 requests a second: send fewer, and retry later.",
    code: "rate_limited",
    errors: [],
  });
  world.advance(1_999);
  expect(await statuses(1)).toEqual([429]);
  world.advance(1);
  expect(await statuses(2)).toEqual([201, 429]);
  world.advance(3_600_000);
  expect(await statuses(4)).toEqual([201, 201, 201, 429]);
});

test("a caller that waits for Retry-After is accepted", async () => {
  const { send, world } = openEdge({ rate: { perSecond: 3, burst: 1 } });
  await send(event);
  const { headers } = await send(event);
  world.advance(Number(headers["retry-after"]) * 1_000);
  expect((await send(event)).status).toBe(201);
});

test("setting the clock back does not refill a bucket", async () => {
  const { send, world } = openEdge({ rate: single });
  await send(event);
  world.advance(-60_000);
  expect((await send(event)).status).toBe(429);
  world.advance(1_000);
  expect((await send(event)).status).toBe(201);
});

test("a rate-limited request stores nothing", async () => {
  const { send, world } = openEdge({ rate: single });
  await send(event);
  await send(event);
  world.advance(1_000);
  expect((await send(event)).body).toMatchObject({ id: 2 });
});

describe("the rate limit applies", () => {
  test("per client address for a write key, which every page shares", async () => {
    const edge = openEdge({ rate: single, keys });
    const as = (key: string, address: string) => statusOf(edge, { ...event, headers: bearer(key), address });
    expect(await as(WRITE, "203.0.113.1")).toBe(201);
    expect(await as(WRITE, "203.0.113.1")).toBe(429);
    expect(await as(WRITE, "203.0.113.2")).toBe(201);
    expect(await as(OTHER, "203.0.113.1")).toBe(201);
  });

  test.each([READ, ADMIN])("per key for %s, over all addresses", async (key) => {
    const edge = openEdge({ rate: single, keys });
    expect(await statusOf(edge, { ...list, headers: bearer(key), address: "203.0.113.1" })).toBe(200);
    expect(await statusOf(edge, { ...list, headers: bearer(key), address: "203.0.113.2" })).toBe(429);
  });

  test("separately to wrong keys, so that they do not use up the requests of valid ones", async () => {
    const edge = openEdge({ rate: single, keys });
    const address = "203.0.113.1";
    const wrong = (n: number) => ({ ...event, headers: bearer(`wrong-key-0123456789-${n}`), address });
    expect(await statusOf(edge, wrong(1))).toBe(401);
    expect(await statusOf(edge, wrong(2))).toBe(429);
    expect(await statusOf(edge, { ...event, headers: bearer(WRITE), address })).toBe(201);
    expect(await statusOf(edge, { path: "/apiv1/openapi.json", address })).toBe(200);
    expect(await statusOf(edge, { ...wrong(3), address: "203.0.113.2" })).toBe(401);
  });

  test("per address without a key, with an IPv6 network as one address", async () => {
    const edge = openEdge({ rate: single, keys });
    const at = (address: string) => statusOf(edge, { path: "/apiv1/openapi.json", address });
    expect(await at("203.0.113.1")).toBe(200);
    expect(await at("::ffff:203.0.113.1")).toBe(429);
    expect(await at("2001:db8:1:2::1")).toBe(200);
    expect(await at("2001:db8:1:2:ffff::9")).toBe(429);
    expect(await at("2001:db8:1:3::1")).toBe(200);
  });

  test("per client behind a trusted proxy, and per proxy behind any other", async () => {
    const trustedProxies = [parseNetwork("10.0.0.0/8")].filter((network) => network !== undefined);
    const edge = openEdge({ rate: single, keys, trustedProxies });
    const at = (address: string, client: string) =>
      statusOf(edge, {
        ...event,
        address,
        headers: { ...bearer(WRITE), "x-forwarded-for": `1.2.3.4, ${client}` },
      });
    expect(await at("10.0.0.1", "203.0.113.1")).toBe(201);
    expect(await at("10.0.0.2", "203.0.113.1")).toBe(429);
    expect(await at("10.0.0.1", "203.0.113.2")).toBe(201);
    expect(await at("192.0.2.1", "203.0.113.3")).toBe(201);
    expect(await at("192.0.2.1", "203.0.113.4")).toBe(429);
  });

  test.each([
    ["an unknown path", { path: "/nowhere" }, 404],
    ["a path with a broken escape", { path: "/apiv1/%ZZ" }, 400],
    ["a method that the path does not accept", { method: "PUT", path: "/health" }, 405],
    ["OPTIONS", { method: "OPTIONS", path: "/apiv1/events" }, 204],
    ["OPTIONS of an unknown path", { method: "OPTIONS", path: "/nowhere" }, 404],
  ])("to %s too", async (_name, request, status) => {
    const edge = openEdge({ rate: single });
    expect(await statusOf(edge, request)).toBe(status);
    expect(await statusOf(edge, request)).toBe(429);
  });

  test("never to health checks and static files", async () => {
    const edge = openEdge({ rate: single, keys });
    await edge.send({ path: "/nowhere" });
    expect(await statusOf(edge, { path: "/nowhere" })).toBe(429);
    for (const path of ["/health", "/health?key=wrong-key-0123456789", "/icon.svg"]) {
      for (let n = 0; n < 3; n += 1) expect(await statusOf(edge, { path }), path).toBeLessThan(401);
    }
    expect(await statusOf(edge, { path: "/client.js" })).toBe(404);
    expect(await statusOf(edge, { path: "/client.js" })).toBe(404);
  });
});
