import { expect, test } from "vitest";
import type { NewEvent } from "../../../domain/events/event.ts";
import { Failure } from "../../../domain/failure.ts";
import { trackEvent } from "../../../handlers/events/track-event.ts";
import { listEvents } from "../../../handlers/reports/list-events.ts";
import { call, faultPathsOf, MINUTE, NOW, openWorld } from "../../world.ts";

const click = {
  event_type: "button_click",
  user_id: "user123",
  session_id: "session456",
  properties: { button_name: "submit", page: "homepage" },
};

/** A world that records the events that reach its storage. */
function openRecorded() {
  const { storage } = openWorld();
  const stored: NewEvent[] = [];
  const world = openWorld({
    storage: {
      ...storage,
      appendEvents: (events) => {
        stored.push(...events);
        return storage.appendEvents(events);
      },
    },
  });
  return { world, stored };
}

test("an event is stored, and the answer has its id and its arrival", async () => {
  const world = openWorld();
  expect(await call(trackEvent, world, { body: click })).toStrictEqual({
    outcome: "created",
    body: { success: true, id: 1, created_at: "2026-11-22T10:00:00.000Z" },
  });
  world.advance(1);
  expect(await call(trackEvent, world, { body: { event_type: "bare" } })).toStrictEqual({
    outcome: "created",
    body: { success: true, id: 2, created_at: "2026-11-22T10:00:00.001Z" },
  });
});

test("all fields of a client's event reach the storage unchanged", async () => {
  const { world, stored } = openRecorded();
  await call(trackEvent, world, { body: { ...click, timestamp: "2026-11-22T09:00:00+01:00" } });
  expect(stored).toStrictEqual([
    {
      event_type: "button_click",
      user_id: "user123",
      session_id: "session456",
      properties: '{"button_name":"submit","page":"homepage"}',
      created_at: NOW,
      occurred_at: Date.parse("2026-11-22T08:00:00.000Z"),
      client_timestamp: null,
      latest_at: Date.parse("2026-11-22T08:00:00.000Z"),
      message_key: null,
    },
  ]);
});

test("missing and null fields are stored as null", async () => {
  const { world, stored } = openRecorded();
  await call(trackEvent, world, { body: { event_type: "a" } });
  await call(trackEvent, world, {
    body: {
      event_type: "a",
      user_id: null,
      session_id: null,
      properties: null,
      message_id: null,
      timestamp: null,
    },
  });
  const bare = {
    event_type: "a",
    user_id: null,
    session_id: null,
    properties: null,
    created_at: NOW,
    occurred_at: NOW,
    client_timestamp: null,
    latest_at: NOW,
    message_key: null,
  };
  expect(stored).toStrictEqual([bare, bare]);
});

test("a message repeated hours later gets the first answer and is stored once", async () => {
  const world = openWorld();
  const retried = { ...click, message_id: "order-17" };
  await call(trackEvent, world, { body: { event_type: "earlier" } });
  const first = await call(trackEvent, world, { body: retried });
  expect(first.body).toStrictEqual({ success: true, id: 2, created_at: "2026-11-22T10:00:00.000Z" });

  world.advance(180 * MINUTE);
  await call(trackEvent, world, { body: { event_type: "later", message_id: "order-18" } });
  expect(await call(trackEvent, world, { body: retried })).toStrictEqual({
    outcome: "ok",
    body: { success: true, id: 2, created_at: "2026-11-22T10:00:00.000Z", duplicate: true },
  });
  const next = await call(trackEvent, world, { body: { event_type: "next" } });
  expect(next.body.id).toBe(4);
});

test("a known message id makes a duplicate regardless of the other fields", async () => {
  const world = openWorld();
  await call(trackEvent, world, { body: { ...click, message_id: "m" } });
  const again = await call(trackEvent, world, { body: { event_type: "quite_another", message_id: "m" } });
  expect(again.outcome).toBe("ok");
});

test("a UUID is the same message in upper and lower case, unlike other text", async () => {
  const world = openWorld();
  const send = async (message_id: string) =>
    (await call(trackEvent, world, { body: { event_type: "a", message_id } })).outcome;
  expect(await send("018f6a1e-7c3b-7d2a-9f00-aabbccddeeff")).toBe("created");
  expect(await send("018F6A1E-7C3B-7D2A-9F00-AABBCCDDEEFF")).toBe("ok");
  expect(await send("018f6a1e7c3b7d2a9f00aabbccddeeff")).toBe("created");
  expect(await send("order-a")).toBe("created");
  expect(await send("order-A")).toBe("created");
});

test.each([
  ["ISO 8601 in UTC", "2026-11-22T09:30:00.250Z", "2026-11-22T09:30:00.250Z"],
  ["ISO 8601 with another zone", "2026-11-22T15:00:00+05:30", "2026-11-22T09:30:00.000Z"],
  ["epoch milliseconds", 1_763_806_200_000, "2025-11-22T10:10:00.000Z"],
  ["a time before 1970", -1e12, "1938-04-24T22:13:20.000Z"],
  ["a format of another language", "20261122 093000,5+00", "2026-11-22T09:30:00.500Z"],
  ["the year 1066", "1066-10-14T09:00:00Z", "1066-10-14T09:00:00.000Z"],
  ["exactly an hour ahead", "2026-11-22T11:00:00.000Z", "2026-11-22T11:00:00.000Z"],
])("an event may have happened at %s", async (_name, timestamp, happened) => {
  const { world, stored } = openRecorded();
  const { outcome } = await call(trackEvent, world, { body: { event_type: "a", timestamp } });
  expect(outcome).toBe("created");
  expect(stored.map(({ occurred_at }) => new Date(occurred_at).toISOString())).toEqual([happened]);
});

test("a time more than an hour ahead is replaced with the arrival time, and the answer and the list show both", async () => {
  const { world, stored } = openRecorded();
  const body = { event_type: "a", timestamp: "2026-11-23T11:00:00Z" };
  expect(await call(trackEvent, world, { body })).toStrictEqual({
    outcome: "created",
    body: {
      success: true,
      id: 1,
      created_at: "2026-11-22T10:00:00.000Z",
      timestamp: "2026-11-22T10:00:00.000Z",
    },
  });
  expect(stored).toMatchObject([{ occurred_at: NOW, client_timestamp: Date.parse("2026-11-23T11:00:00Z") }]);
  const { body: list } = await call(listEvents, world);
  expect(list.events).toMatchObject([
    { timestamp: "2026-11-22T10:00:00.000Z", client_timestamp: "2026-11-23T11:00:00.000Z" },
  ]);
});

const nested = (depth: number): object => (depth === 1 ? { end: true } : { in: nested(depth - 1) });
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));

test.each([
  ["200 characters, each of two UTF-16 units", { event_type: "😀".repeat(200) }],
  ["letters of any script, and quotes", { event_type: `Zoë's "用户" 😀` }],
  ["properties 8 levels deep", { event_type: "a", properties: nested(8) }],
  ["properties of 255 keys", { event_type: "a", properties: keys(255) }],
  ["properties that are an empty object", { event_type: "a", properties: {} }],
  ["a message id of 100 characters", { event_type: "a", message_id: "m".repeat(100) }],
])("an event with %s is stored", async (_name, body) => {
  expect((await call(trackEvent, openWorld(), { body })).outcome).toBe("created");
});

test.each<[string, unknown, string[]]>([
  ["no body", undefined, [""]],
  ["null", null, [""]],
  ["a list", [], [""]],
  ["a text", "button_click", [""]],
  ["an empty object", {}, ["event_type"]],
  ["a type that is a number", { event_type: 1 }, ["event_type"]],
  ["an empty type", { event_type: "" }, ["event_type"]],
  ["a blank type", { event_type: " \u00a0" }, ["event_type"]],
  ["a type of 201 characters", { event_type: "x".repeat(201) }, ["event_type"]],
  ["a line break in its type", { event_type: "a\nb" }, ["event_type"]],
  ["a NUL in its type", { event_type: "a\0" }, ["event_type"]],
  ["a lone surrogate in its type", { event_type: "a\ud800" }, ["event_type"]],
  ["a user that is a number", { event_type: "a", user_id: 7 }, ["user_id"]],
  ["an empty user and session", { event_type: "a", user_id: "", session_id: "" }, ["user_id", "session_id"]],
  ["properties that are a list", { event_type: "a", properties: [] }, ["properties"]],
  ["properties that are a text", { event_type: "a", properties: "{}" }, ["properties"]],
  [
    "properties 9 levels deep",
    { event_type: "a", properties: nested(9) },
    ["properties.in.in.in.in.in.in.in.in"],
  ],
  ["properties of 256 keys", { event_type: "a", properties: keys(256) }, ["properties"]],
  ["properties over 64 KiB", { event_type: "a", properties: { a: "é".repeat(33_000) } }, ["properties"]],
  ["an empty message id", { event_type: "a", message_id: "" }, ["message_id"]],
  ["a message id of 101 characters", { event_type: "a", message_id: "m".repeat(101) }, ["message_id"]],
  ["a time without its zone", { event_type: "a", timestamp: "2026-11-22T10:00:00" }, ["timestamp"]],
  ["a date instead of a time", { event_type: "a", timestamp: "2026-11-22" }, ["timestamp"]],
  ["a day that does not exist", { event_type: "a", timestamp: "2026-02-30T10:00:00Z" }, ["timestamp"]],
  ["a time in seconds", { event_type: "a", timestamp: 1_795_000_000 }, ["timestamp"]],
  ["a time past the year 9999", { event_type: "a", timestamp: 253_402_300_800_000 }, ["timestamp"]],
  ["a misspelt field", { event_type: "a", propertys: {} }, ["propertys"]],
  [
    "faults in every field",
    { event_type: "", user_id: 1, session_id: [], properties: 1, message_id: 1, timestamp: "soon", more: 1 },
    ["event_type", "user_id", "session_id", "properties", "message_id", "timestamp", "more"],
  ],
])("an event with %s is refused, each fault with its path", async (_name, body, paths) => {
  const world = openWorld();
  expect(await faultPathsOf(call(trackEvent, world, { body }))).toEqual(["invalid", ...paths]);
  expect((await call(trackEvent, world, { body: click })).body.id).toBe(1);
});

test("a storage failure is answered as a failure", async () => {
  const { storage } = openWorld();
  const broken = new Failure("unavailable", "The storage cannot take this now.", { retryAfterSeconds: 1 });
  const world = openWorld({ storage: { ...storage, appendEvents: () => Promise.reject(broken) } });
  await expect(call(trackEvent, world, { body: click })).rejects.toBe(broken);
});
