import { expect, test } from "vitest";
import { openEdge } from "../../world.ts";

const KEY = "0123456789abcdef";
const OTHER = "fedcba9876543210";
const event = { method: "POST", path: "/apiv1/events", body: { event_type: "a" } };

test("callers are not limited unless it is asked for", async () => {
  const { send } = openEdge();
  for (let n = 0; n < 50; n += 1) expect((await send(event)).status).toBe(201);
});

test("a burst is taken, then as many as the rate, and who is early is told when to come back", async () => {
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
    detail: "At most 0.5 requests a second are taken from one caller: come back later.",
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

test("who comes back when told to is taken", async () => {
  const { send, world } = openEdge({ rate: { perSecond: 3, burst: 1 } });
  await send(event);
  const { headers } = await send(event);
  world.advance(Number(headers["retry-after"]) * 1_000);
  expect((await send(event)).status).toBe(201);
});

test("a clock that is set back gives nobody anything", async () => {
  const { send, world } = openEdge({ rate: { perSecond: 1, burst: 1 } });
  await send(event);
  world.advance(-60_000);
  expect((await send(event)).status).toBe(429);
  world.advance(1_000);
  expect((await send(event)).status).toBe(201);
});

test("each address has a rate of its own", async () => {
  const { send } = openEdge({ rate: { perSecond: 1, burst: 1 } });
  expect((await send({ ...event, address: "10.0.0.1" })).status).toBe(201);
  expect((await send({ ...event, address: "10.0.0.1" })).status).toBe(429);
  expect((await send({ ...event, address: "10.0.0.2" })).status).toBe(201);
});

test("each key has a rate of its own, from whatever address", async () => {
  const keys = { write: [KEY, OTHER], read: [], admin: [] };
  const { send } = openEdge({ rate: { perSecond: 1, burst: 1 }, keys });
  const as = async (key: string, address: string) =>
    (await send({ ...event, headers: { authorization: `Bearer ${key}` }, address })).status;
  expect(await as(KEY, "10.0.0.1")).toBe(201);
  expect(await as(KEY, "10.0.0.2")).toBe(429);
  expect(await as(OTHER, "10.0.0.1")).toBe(201);
});

test("made-up keys bring no new rate on endpoints that need none", async () => {
  const keys = { write: [KEY], read: [], admin: [] };
  const { send } = openEdge({ rate: { perSecond: 1, burst: 1 }, keys });
  expect((await send({ path: "/health?key=made-up-1" })).status).toBe(200);
  expect((await send({ path: "/health?key=made-up-2" })).status).toBe(429);
});

test("what is refused for its rate has stored nothing", async () => {
  const { send, world } = openEdge({ rate: { perSecond: 1, burst: 1 } });
  await send(event);
  await send(event);
  world.advance(1_000);
  expect((await send(event)).body).toMatchObject({ id: 2 });
});
