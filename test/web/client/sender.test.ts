import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAssignments } from "../../../web/client/assignments.ts";
import { backOff } from "../../../web/client/back-off.ts";
import { createQueue, type Item } from "../../../web/client/queue.ts";
import { createSender } from "../../../web/client/sender.ts";
import { cases } from "../../random.ts";
import {
  fakeNetwork,
  fakeSender,
  itemOf,
  memoryStore,
  refusal,
  type Sent,
  STORED,
  type Wire,
  wireOf,
} from "./network.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const itemsIn = ({ body }: Sent): readonly Item[] => body.events ?? body.metrics ?? [];
const idsIn = (sent: readonly Sent[]) => sent.flatMap(itemsIn).map(({ message_id }) => message_id);

/** Lets timers run until the queue is empty, for a day at most. */
async function untilSent({ queue }: ReturnType<typeof fakeSender>): Promise<void> {
  const end = Date.now() + 24 * 3_600_000;
  while (queue.items().length > 0 && Date.now() < end) await vi.advanceTimersByTimeAsync(1_000);
}

const html = (status: number): Wire => [status, "<h1>An answer of a proxy</h1>"];

/** Everything that is not an answer of the server which no waiting can fix. */
const PASSING: readonly Wire[] = [
  "silence",
  refusal(408, "timeout"),
  refusal(429, "rate_limited"),
  refusal(500, "internal"),
  [503, refusal(503, "unavailable")[1] ?? "", "2"],
  // A redirect turned the request into a GET.
  refusal(405, "method_not_allowed"),
  ...[200, 201, 204, 301, 302, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 425, 429, 500, 502, 504].map(
    html,
  ),
  [200, "{}"],
  [200, "null"],
  [200, '"success"'],
  [404, '{"code":404,"message":"no Route matched with those values"}'],
  [401, '{"code":"unauthorized","message":"not problem+json"}'],
  [403, '{"type":"about:blank","status":403,"code":"blocked_by_firewall"}'],
  [403, '{"type":"about:blank","status":403}'],
];

test("after any answers that waiting may fix, every item is stored once and the queue is empty", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Wire>(...PASSING), { maxLength: 6 }),
      fc.integer({ min: 1, max: 40 }),
      async (troubles, count) => {
        const left = [...troubles];
        const stored: Sent[] = [];
        const fake = fakeSender((sent) => {
          const trouble = left.shift();
          if (trouble === undefined) stored.push(sent);
          return trouble ?? STORED;
        }, 500);
        for (let n = 0; n < count; n++) fake.sender.add(itemOf(n));
        await untilSent(fake);
        expect(idsIn(stored)).toEqual(Array.from({ length: count }, (_, n) => itemOf(n).message_id));
        expect(fake.queue.items()).toEqual([]);
      },
    ),
    { numRuns: cases(50) },
  ));

test("a batch that is too large is halved until it is taken, and only an item that is too large alone is dropped", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2_000), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 300, max: 5_000 }),
      async (fillings, limit) => {
        const stored: Sent[] = [];
        const fake = fakeSender((sent, length) => {
          if (length > limit) return refusal(413, "too_large");
          stored.push(sent);
          return STORED;
        });
        const items = fillings.map((filling, n) => itemOf(n, { filling: "x".repeat(filling) }));
        for (const item of items) fake.sender.add(item);
        await untilSent(fake);
        const envelope = '{"events":[],"sent_at":"1970-01-01T00:00:00.000Z"}'.length;
        const isSmall = (filling: number, n: number) =>
          JSON.stringify(wireOf(n, { filling: "x".repeat(filling) })).length + envelope <= limit;
        const small = items.filter((_, n) => isSmall(fillings[n] ?? 0, n));
        expect(idsIn(stored)).toEqual(small.map(({ message_id }) => message_id));
        expect(fake.refused).toEqual(Array(items.length - small.length).fill(refusal(413, "too_large")[1]));
      },
    ),
    { numRuns: cases(50) },
  ));

test("the parts of a batch that is too large are sent at once, and later batches are no larger", async () => {
  const fake = fakeSender(({ body }) => ((body.events?.length ?? 0) > 2 ? html(413) : STORED));
  for (let n = 0; n < 8; n++) fake.sender.add(itemOf(n, { timestamp: 0 }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([]);
  expect(fake.sent.map((sent) => itemsIn(sent).length)).toEqual([8, 4, 2, 2, 4, 2, 2]);
  for (let n = 8; n < 12; n++) fake.sender.add(itemOf(n, { timestamp: 0 }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.sent.slice(7).map((sent) => itemsIn(sent).length)).toEqual([2, 2]);
});

test.each(PASSING.map((wire) => [wire]))("an item is kept, and nothing reported, after %j", async (wire) => {
  let passing = true;
  const fake = fakeSender(() => (passing ? wire : STORED));
  fake.sender.add(itemOf(1));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([itemOf(1)]);
  passing = false;
  await untilSent(fake);
  expect(idsIn(fake.sent)).toEqual([itemOf(1), itemOf(1)].map(({ message_id }) => message_id));
  expect(fake.refused).toEqual([]);
});

test("an item that only a proxy finds too large is kept, and does not hold up the others", async () => {
  const fake = fakeSender((_, length) => (length > 1_000 ? html(413) : STORED), 500);
  const large = itemOf(1, { filling: "x".repeat(2_000) });
  for (const item of [large, itemOf(2), itemOf(3)]) fake.sender.add(item);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([large]);
  expect(fake.sent).toHaveLength(2);
  expect(fake.refused).toEqual([]);
});

test("a report handler that throws loses no item and stops nothing", async () => {
  const { sent, post } = fakeNetwork(({ path }) =>
    path === "events/batch" ? refusal(400, "invalid") : STORED,
  );
  const queue = createQueue(memoryStore(), 1e9);
  const assignments = createAssignments("u1", memoryStore(), post);
  const sender = createSender(queue, post, () => assignments, {
    length: 100,
    lock: (act) => act(),
    report: (problem) => {
      throw new Error(problem);
    },
  });
  for (let n = 0; n < 3; n++) sender.add(itemOf(n));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(idsIn(sent)).toEqual([0, 1, 2].map((n) => itemOf(n).message_id));
  expect(queue.items()).toEqual([]);
});

test.each([
  [400, "invalid"],
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not_found"],
  [413, "too_large"],
])("the server's own refusal %d %s drops the item and is reported", async (status, code) => {
  const fake = fakeSender(() => refusal(status, code));
  fake.sender.add(itemOf(1));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fake.sent).toHaveLength(1);
  expect(fake.queue.items()).toEqual([]);
  expect(fake.refused).toEqual([refusal(status, code)[1]]);
});

test("a batch with rejected items is reported with the server's answer", async () => {
  const answer = '{"success":true,"accepted":1,"duplicates":0,"rejected":1,"results":[]}';
  const fake = fakeSender(() => [207, answer]);
  fake.sender.add(itemOf(1));
  fake.sender.add(itemOf(2));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([]);
  expect(fake.refused).toEqual([answer]);
});

test("items of one second are sent in one request, with the time of sending", async () => {
  const fake = fakeSender(() => STORED);
  for (const n of [1, 2, 3]) fake.sender.add(itemOf(n));
  await vi.advanceTimersByTimeAsync(999);
  expect(fake.sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(fake.sent).toEqual([
    {
      path: "events/batch",
      body: { events: [1, 2, 3].map((n) => wireOf(n)), sent_at: new Date().toISOString() },
    },
  ]);
});

test("nothing is sent before the end of Retry-After", async () => {
  const fake = fakeSender(() => [503, "", "120"]);
  fake.sender.add(itemOf(1));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.sent).toHaveLength(1);
  fake.sender.add(itemOf(2));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(fake.sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_001);
  expect(fake.sent).toHaveLength(2);
});

test("the wait grows with failures up to a minute, is random in its second half, and follows Retry-After", () =>
  fc.assert(
    fc.property(fc.nat(100), fc.nat(10_000), (failures, asked) => {
      const wait = backOff(failures, String(asked)) - Math.min(asked * 1_000, 3_600_000);
      const longest = Math.min(60_000, 1_000 * (2 ** failures - 1));
      expect(wait).toBeGreaterThanOrEqual(longest / 2);
      expect(wait).toBeLessThanOrEqual(longest);
    }),
  ));

test.each([undefined, null, "", "0", "-60", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])(
  "Retry-After %j asks for no seconds",
  (text) => {
    expect(backOff(0, text)).toBe(0);
  },
);

test.each(["3601", "1e999", "9".repeat(400)])("Retry-After %s is waited for an hour", (text) => {
  expect(backOff(0, text)).toBe(3_600_000);
});

const IN_TEST = {
  test_id: 7,
  test_name: "colour",
  variant: "red",
  variant_id: 1,
  assigned_at: "2026-01-01T00:00:00.000Z",
};
const { assigned_at: _, ...PREVIEW } = IN_TEST;

test("a value waits until its user is enrolled, and goes to the experiment of its name", async () => {
  const fake = fakeSender(({ path }) => {
    if (path === "assignments") return [200, JSON.stringify({ user_id: "u1", assignments: [PREVIEW] })];
    return path === "ab-tests/7/assign" ? [201, JSON.stringify({ ...IN_TEST, user_id: "u1" })] : STORED;
  });
  fake.sender.add(itemOf(1, { test: "colour", metric_name: "signup", value: 1 }));
  fake.sender.add(itemOf(2, { event_type: "click" }));
  await vi.advanceTimersByTimeAsync(1_000);
  const sent_at = new Date().toISOString();
  expect(fake.sent).toEqual([
    { path: "assignments", body: { user_id: "u1", enrol: false } },
    { path: "ab-tests/7/assign", body: { user_id: "u1" } },
    {
      path: "ab-tests/7/track/batch",
      body: { metrics: [wireOf(1, { metric_name: "signup", value: 1 })], sent_at },
    },
    { path: "events/batch", body: { events: [wireOf(2, { event_type: "click" })], sent_at } },
  ]);
});

test.each<[string, Wire]>([
  ["the server is silent", "silence"],
  ["a proxy answers", html(404)],
])("a value waits while %s to its enrolment, and events do not wait for it", async (_, wire) => {
  let away = true;
  const fake = fakeSender(({ path }) => {
    if (path !== "ab-tests/7/assign") return STORED;
    return away ? wire : [201, JSON.stringify({ ...IN_TEST, user_id: "u1" })];
  });
  fake.sender.add(itemOf(1, { test: 7 }));
  fake.sender.add(itemOf(2));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([itemOf(1, { test: 7 })]);
  away = false;
  await untilSent(fake);
  expect(fake.sent.at(-1)).toEqual({
    path: "ab-tests/7/track/batch",
    body: { metrics: [wireOf(1)], sent_at: expect.any(String) },
  });
  expect(fake.refused).toEqual([]);
});

test("a value for an unknown experiment is dropped, and the report names it", async () => {
  const fake = fakeSender(() => [200, JSON.stringify({ user_id: "u1", assignments: [] })]);
  fake.sender.add(itemOf(1, { test: "color" }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([]);
  expect(fake.refused).toEqual(["no test color"]);
});

test.each<[string, Record<string, unknown>, string]>([
  ["a bigint", { n: 1n }, "TypeError: Do not know how to serialize a BigInt"],
  ["properties of a million characters", { properties: { x: "x".repeat(1_000_000) } }, "Error: over 64 KiB"],
  ["an event type of a million characters", { event_type: "x".repeat(1_000_000) }, "Error: over 64 KiB"],
])("%s can never be stored, and is refused without touching the queue", (_, fields, problem) => {
  const fake = fakeSender(() => STORED);
  for (const n of [1, 2, 3]) fake.sender.add(itemOf(n));
  fake.sender.add(itemOf(4, fields));
  expect(fake.refused).toEqual([problem]);
  expect(fake.queue.items()).toEqual([1, 2, 3].map((n) => itemOf(n)));
});

test("a page that is left hands over what waits once, as far as beacons take it, and keeps all of it", () => {
  const fake = fakeSender(() => STORED, 150);
  const items = [1, 2, 3, 4].map((n) => itemOf(n));
  for (const item of items) fake.sender.add(item);
  const taken: string[] = [];
  const beacon = (_path: string, body: string) => taken.push(body) < 2;
  fake.sender.leave(beacon);
  expect(taken.map((body) => JSON.parse(body).events)).toEqual([
    [wireOf(1), wireOf(2)],
    [wireOf(3), wireOf(4)],
  ]);
  fake.sender.leave(() => true);
  fake.sender.leave(() => {
    throw new Error("handed over twice");
  });
  expect(fake.queue.items()).toEqual(items);
});

test("an item that no beacon takes does not keep back the items after it", () => {
  const fake = fakeSender(() => STORED, 150);
  const items = [1, 2, 3].map((n) => itemOf(n, { filling: "x".repeat(n === 1 ? 1_000 : 100) }));
  for (const item of items) fake.sender.add(item);
  const taken: Sent["body"][] = [];
  fake.sender.leave((_path, body) => body.length < 500 && taken.push(JSON.parse(body)) > 0);
  expect(taken.map(({ events }) => events)).toEqual(
    [2, 3].map((n) => [wireOf(n, { filling: "x".repeat(100) })]),
  );
});
