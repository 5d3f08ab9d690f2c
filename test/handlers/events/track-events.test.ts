import { expect, test } from "vitest";
import type { NewEvent } from "../../../domain/events/event.ts";
import { BrokenLine } from "../../../handlers/contract/batch.ts";
import { trackEvents } from "../../../handlers/events/track-events.ts";
import { computeFunnel } from "../../../handlers/reports/compute-funnel.ts";
import { call, faultPathsOf, MINUTE, NOW, openWorld, refusalOf } from "../../world.ts";

const events = (count: number) => Array.from({ length: count }, (_, n) => ({ event_type: `e${n}` }));

function openRecorded() {
  const { storage } = openWorld();
  const stored: NewEvent[] = [];
  const world = openWorld({
    storage: {
      ...storage,
      appendEvents: (some) => {
        stored.push(...some);
        return storage.appendEvents(some);
      },
    },
  });
  return { world, stored };
}

test("a list of events is stored, and the answer has the id of each in its place", async () => {
  expect(await call(trackEvents, openWorld(), { body: events(3) })).toStrictEqual({
    outcome: "created",
    body: {
      success: true,
      accepted: 3,
      duplicates: 0,
      rejected: 0,
      results: [
        { success: true, id: 1 },
        { success: true, id: 2 },
        { success: true, id: 3 },
      ],
    },
  });
});

test("an envelope with sent_at is the same batch", async () => {
  const body = { events: events(2), sent_at: "2026-11-22T09:59:59Z" };
  const answer = await call(trackEvents, openWorld(), { body });
  expect(answer).toStrictEqual(await call(trackEvents, openWorld(), { body: events(2) }));
});

test("an invalid event is refused alone with all its faults, and the others are stored", async () => {
  const world = openWorld();
  const body = [{ event_type: "good" }, { event_type: "", user_id: 1 }, 7, { event_type: "good, too" }];
  const { outcome, body: answer } = await call(trackEvents, world, { body });
  expect(outcome).toBe("partial");
  expect(answer).toStrictEqual({
    success: true,
    accepted: 2,
    duplicates: 0,
    rejected: 2,
    results: [
      { success: true, id: 1 },
      {
        success: false,
        errors: [
          { path: "event_type", message: "must not be blank" },
          { path: "user_id", message: "must be a string" },
        ],
      },
      { success: false, errors: [{ path: "", message: expect.stringContaining("object") }] },
      { success: true, id: 2 },
    ],
  });
});

test("a broken line of NDJSON is refused by its number, and the other lines are stored", async () => {
  const body = [{ event_type: "good" }, new BrokenLine(2), { event_type: "good, too" }];
  expect(await call(trackEvents, openWorld(), { body })).toStrictEqual({
    outcome: "partial",
    body: {
      success: true,
      accepted: 2,
      duplicates: 0,
      rejected: 1,
      results: [
        { success: true, id: 1 },
        { success: false, errors: [{ path: "", message: "line 2 is not JSON" }] },
        { success: true, id: 2 },
      ],
    },
  });
});

test("a minimal answer lists the refused events alone, each with its index", async () => {
  const body = [
    { event_type: "a" },
    {},
    { event_type: "b", message_id: "m" },
    { event_type: "b", message_id: "m" },
  ];
  expect(await call(trackEvents, openWorld(), { body, minimal: true })).toStrictEqual({
    outcome: "partial",
    body: {
      success: true,
      accepted: 2,
      duplicates: 1,
      rejected: 1,
      results: [
        {
          success: false,
          index: 1,
          errors: [{ path: "event_type", message: "is required" }],
        },
      ],
    },
  });
});

test("a message id repeated in a batch is stored once, and both events get its id", async () => {
  const world = openWorld();
  const body = [
    { event_type: "a", message_id: "018f6a1e-7c3b-7d2a-9f00-aabbccddeeff" },
    { event_type: "b" },
    { event_type: "a", message_id: "018F6A1E-7C3B-7D2A-9F00-AABBCCDDEEFF" },
  ];
  expect(await call(trackEvents, world, { body })).toStrictEqual({
    outcome: "created",
    body: {
      success: true,
      accepted: 2,
      duplicates: 1,
      rejected: 0,
      results: [
        { success: true, id: 1 },
        { success: true, id: 2 },
        { success: true, id: 1, duplicate: true },
      ],
    },
  });
});

test("a repeated batch stores nothing and is answered with the first ids", async () => {
  const world = openWorld();
  const body = [
    { event_type: "a", message_id: "1" },
    { event_type: "b", message_id: "2" },
  ];
  await call(trackEvents, world, { body: events(3) });
  await call(trackEvents, world, { body });
  world.advance(60 * MINUTE);
  await call(trackEvents, world, { body: events(2) });
  const { outcome, body: again } = await call(trackEvents, world, { body });
  expect(outcome).toBe("created");
  expect(again).toStrictEqual({
    success: true,
    accepted: 0,
    duplicates: 2,
    rejected: 0,
    results: [
      { success: true, id: 4, duplicate: true },
      { success: true, id: 5, duplicate: true },
    ],
  });
  const { body: next } = await call(trackEvents, world, { body: events(1) });
  expect(next.results).toEqual([{ success: true, id: 8 }]);
});

test("times of a fast client clock are moved back, and the answer contains the new time", async () => {
  const { world, stored } = openRecorded();
  const body = {
    sent_at: NOW + 120 * MINUTE,
    events: [{ event_type: "a", timestamp: NOW + 110 * MINUTE }, { event_type: "b" }],
  };
  expect((await call(trackEvents, world, { body })).body.results).toStrictEqual([
    { success: true, id: 1, timestamp: "2026-11-22T09:50:00.000Z" },
    { success: true, id: 2 },
  ]);
  expect(stored).toMatchObject([
    { occurred_at: NOW - 10 * MINUTE, client_timestamp: NOW + 110 * MINUTE },
    { occurred_at: NOW, client_timestamp: null },
  ]);
});

test("a batch delayed by a retry keeps its times, because sent_at in the past may be due to the delay", async () => {
  const { world, stored } = openRecorded();
  const body = {
    sent_at: NOW - 120 * MINUTE,
    events: [{ event_type: "a", timestamp: NOW - 125 * MINUTE }],
  };
  await call(trackEvents, world, { body });
  expect(stored).toMatchObject([{ occurred_at: NOW - 125 * MINUTE, latest_at: NOW - 5 * MINUTE }]);
});

test("an event queued under a fast clock that was corrected before sending is stored at its arrival time", async () => {
  const { world, stored } = openRecorded();
  const body = {
    sent_at: NOW,
    events: [{ event_type: "a", timestamp: NOW + 181 * MINUTE }, { event_type: "b" }],
  };
  expect((await call(trackEvents, world, { body })).body).toMatchObject({ accepted: 2, rejected: 0 });
  expect(stored).toMatchObject([
    { occurred_at: NOW, client_timestamp: NOW + 181 * MINUTE },
    { occurred_at: NOW, client_timestamp: null },
  ]);
});

test("sent_at may be null", async () => {
  const { body } = await call(trackEvents, openWorld(), { body: { events: events(1), sent_at: null } });
  expect(body).toMatchObject({ accepted: 1 });
});

test("a funnel counts a user with a fast clock and a stalled first request", async () => {
  const world = openWorld();
  const [ahead, stall] = [5_000, 6_000];
  const first = { event_type: "view", user_id: "ann", timestamp: NOW + ahead };
  const second = { event_type: "buy", user_id: "ann", timestamp: NOW + 1_000 + ahead };
  world.advance(1_000);
  await call(trackEvents, world, { body: { events: [second], sent_at: NOW + 1_000 + ahead } });
  world.advance(stall - 1_000);
  await call(trackEvents, world, { body: { events: [first], sent_at: NOW + ahead } });
  world.advance(60 * MINUTE);
  const body = { steps: [{ event_type: "view" }, { event_type: "buy" }] };
  const { body: funnel } = await call(computeFunnel, world, { body });
  expect(funnel.steps.map(({ users }) => users)).toEqual([1, 1]);
});

test("a batch without a valid event is refused as a whole, with every fault under its index", async () => {
  const world = openWorld();
  const body = [
    { event_type: "" },
    {},
    "x",
    new BrokenLine(4),
    { event_type: "a", properties: { __proto__: null, n: Number.NaN } },
  ];
  expect(await refusalOf(call(trackEvents, world, { body }))).toEqual({
    code: "invalid",
    detail: "The batch has 5 faults; nothing was stored. See errors.",
    errors: [
      { path: "[0].event_type", message: "must not be blank" },
      { path: "[1].event_type", message: expect.any(String) },
      { path: "[2]", message: expect.any(String) },
      { path: "[3]", message: "line 4 is not JSON" },
      { path: "[4].properties.n", message: expect.stringContaining("send it as text") },
    ],
  });
  const { body: next } = await call(trackEvents, world, { body: events(1) });
  expect(next.results).toEqual([{ success: true, id: 1 }]);
});

test("a batch of 2,000 events is accepted", async () => {
  const { body } = await call(trackEvents, openWorld(), { body: events(2_000), minimal: true });
  expect(body).toStrictEqual({ success: true, accepted: 2_000, duplicates: 0, rejected: 0, results: [] });
});

test("a batch of 2,001 events is refused, and none is stored", async () => {
  const world = openWorld();
  expect(await refusalOf(call(trackEvents, world, { body: events(2_001) }))).toEqual({
    code: "too_large",
    detail: "The batch has 2001 items: send at most 2000 at a time.",
    errors: [],
  });
  const { body: next } = await call(trackEvents, world, { body: events(1) });
  expect(next.results).toEqual([{ success: true, id: 1 }]);
});

test.each<[string, unknown, string[]]>([
  ["no body", undefined, [""]],
  ["a single event", { event_type: "a" }, [""]],
  ["a text", "events", [""]],
  ["an empty list", [], [""]],
  ["an envelope with an empty list", { events: [] }, ["events"]],
  ["an envelope without a list", { events: { event_type: "a" } }, [""]],
  ["a sent_at that is not a time", { events: events(1), sent_at: "yesterday" }, ["sent_at"]],
  ["a sent_at in seconds", { events: events(1), sent_at: 1_795_000_000 }, ["sent_at"]],
  ["a misspelt field in the envelope", { events: events(1), sentAt: NOW }, ["sentAt"]],
])("%s is refused as a batch, with the path of the field", async (_name, body, paths) => {
  const [code, ...found] = await faultPathsOf(call(trackEvents, openWorld(), { body }));
  expect(code).toBe("invalid");
  expect(found).toEqual(expect.arrayContaining(paths));
});
