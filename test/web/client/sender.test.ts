import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAssignments } from "../../../web/client/assignments.ts";
import { backOff } from "../../../web/client/back-off.ts";
import type { Reply } from "../../../web/client/post.ts";
import { createQueue, type Item } from "../../../web/client/queue.ts";
import { createSender } from "../../../web/client/sender.ts";
import { createStore } from "../../../web/client/store.ts";
import { fakeNetwork, fakeSender, itemOf, type Sent, SILENCE, STORED } from "./network.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const itemsIn = ({ body }: Sent): readonly Item[] => body.events ?? body.metrics ?? [];
const idsIn = (sent: readonly Sent[]) => sent.flatMap(itemsIn).map(({ message_id }) => message_id);

/** Lets timers run until nothing is waiting any more, for at most a day. */
async function untilSent({ queue }: ReturnType<typeof fakeSender>): Promise<void> {
  const end = Date.now() + 24 * 3_600_000;
  while (queue.items().length > 0 && Date.now() < end) await vi.advanceTimersByTimeAsync(1_000);
}

test("whatever the network answers at first, everything is stored once and in the end nothing is queued", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Reply>([503, "", "2"], [429, "", null], [500, "", null], SILENCE), {
        maxLength: 6,
      }),
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
    { numRuns: 50 },
  ));

test("a batch that is too large is halved until it is taken, and only an item that is too large alone is dropped", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2_000), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 300, max: 5_000 }),
      async (fillings, limit) => {
        const stored: Sent[] = [];
        const fake = fakeSender((sent, length) => {
          if (length > limit) return [413, "too large", null];
          stored.push(sent);
          return STORED;
        });
        const items = fillings.map((filling, n) => itemOf(n, { filling: "x".repeat(filling) }));
        for (const item of items) fake.sender.add(item);
        await untilSent(fake);
        const envelope = '{"events":[],"sent_at":1700000000000}'.length;
        const small = items.filter((item) => JSON.stringify(item).length + envelope <= limit);
        expect(idsIn(stored)).toEqual(small.map(({ message_id }) => message_id));
        expect(fake.refused).toEqual(Array(items.length - small.length).fill("too large"));
      },
    ),
    { numRuns: 50 },
  ));

test("the parts of a batch that is too large are sent at once, and later batches are no larger", async () => {
  const fake = fakeSender(({ body }) => ((body.events?.length ?? 0) > 2 ? [413, "too large", null] : STORED));
  for (let n = 0; n < 8; n++) fake.sender.add(itemOf(n, { timestamp: 0 }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([]);
  expect(fake.sent.map((sent) => itemsIn(sent).length)).toEqual([8, 4, 2, 2, 4, 2, 2]);
  for (let n = 8; n < 12; n++) fake.sender.add(itemOf(n, { timestamp: 0 }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.sent.slice(7).map((sent) => itemsIn(sent).length)).toEqual([2, 2]);
});

test("a page that somebody on the way answers with confirms nothing", async () => {
  let portal = true;
  const fake = fakeSender(() => (portal ? [200, "<p>Welcome to our Wi-Fi</p>", null] : STORED));
  fake.sender.add(itemOf(1));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([itemOf(1)]);
  portal = false;
  await untilSent(fake);
  expect(idsIn(fake.sent)).toEqual([itemOf(1), itemOf(1)].map(({ message_id }) => message_id));
  expect(fake.refused).toEqual([]);
});

test("a handler of refusals that throws costs no item, and the rest is sent", async () => {
  const { sent, post } = fakeNetwork(({ path }) => (path === "events/batch" ? [400, "{}", null] : STORED));
  const queue = createQueue(createStore(), 1e9);
  const assignments = createAssignments("u1", createStore(), post);
  const sender = createSender(queue, post, () => assignments, {
    maxLength: 100,
    lock: (act) => act(),
    refused: (problem) => {
      throw new Error(problem);
    },
  });
  for (let n = 0; n < 3; n++) sender.add(itemOf(n));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(idsIn(sent)).toEqual([0, 1, 2].map((n) => itemOf(n).message_id));
  expect(queue.items()).toEqual([]);
});

test.each([400, 401, 403, 404, 415])(
  "what is refused with %d is dropped, and its reason told",
  async (status) => {
    const fake = fakeSender(() => [status, "the reason", null]);
    fake.sender.add(itemOf(1));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fake.sent).toHaveLength(1);
    expect(fake.queue.items()).toEqual([]);
    expect(fake.refused).toEqual(["the reason"]);
  },
);

test("what happens together goes together, a second later", async () => {
  const fake = fakeSender(() => STORED);
  for (const n of [1, 2, 3]) fake.sender.add(itemOf(n));
  await vi.advanceTimersByTimeAsync(999);
  expect(fake.sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(fake.sent).toEqual([
    { path: "events/batch", body: { events: [1, 2, 3].map((n) => itemOf(n)), sent_at: Date.now() } },
  ]);
});

test("nothing is sent before the time that the server has asked for", async () => {
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

test("waiting grows with failures up to a minute, differs from one to the next, and is never less than asked for", () =>
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

test("a value waits until its user is enrolled, and goes to the test of its name", async () => {
  const fake = fakeSender(({ path }) =>
    path === "assignments" ? [200, JSON.stringify({ user_id: "u1", assignments: [IN_TEST] }), null] : STORED,
  );
  fake.sender.add(itemOf(1, { test: "colour", metric_name: "signup", value: 1 }));
  fake.sender.add(itemOf(2, { event_type: "click" }));
  await vi.advanceTimersByTimeAsync(1_000);
  const sent_at = Date.now();
  expect(fake.sent).toEqual([
    { path: "assignments", body: { user_id: "u1" } },
    {
      path: "ab-tests/7/track/batch",
      body: { metrics: [itemOf(1, { metric_name: "signup", value: 1 })], sent_at },
    },
    { path: "events/batch", body: { events: [itemOf(2, { event_type: "click" })], sent_at } },
  ]);
});

test("a value waits for assignments that do not answer, and events do not wait for it", async () => {
  let away = true;
  const fake = fakeSender(({ path }) => {
    if (path !== "ab-tests/7/assign") return STORED;
    return away ? SILENCE : [201, JSON.stringify({ ...IN_TEST, user_id: "u1" }), null];
  });
  fake.sender.add(itemOf(1, { test: 7 }));
  fake.sender.add(itemOf(2));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([itemOf(1, { test: 7 })]);
  away = false;
  await untilSent(fake);
  expect(fake.sent.at(-1)).toEqual({
    path: "ab-tests/7/track/batch",
    body: { metrics: [itemOf(1)], sent_at: expect.any(Number) },
  });
});

test("a value for a test that there is not is dropped, and says which", async () => {
  const fake = fakeSender(() => [200, JSON.stringify({ user_id: "u1", assignments: [] }), null]);
  fake.sender.add(itemOf(1, { test: "color" }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.queue.items()).toEqual([]);
  expect(fake.refused).toEqual(["No A/B test color has this user."]);
});

test("what cannot be written as JSON is refused, and says why", () => {
  const fake = fakeSender(() => STORED);
  fake.sender.add(itemOf(1, { n: 1n }));
  expect(fake.refused).toEqual(["TypeError: Do not know how to serialize a BigInt"]);
});

test("whoever leaves hands over what waits once, as long as it is taken, and keeps all of it", () => {
  const fake = fakeSender(() => STORED, 150);
  const items = [1, 2, 3, 4].map((n) => itemOf(n));
  for (const item of items) fake.sender.add(item);
  const taken: string[] = [];
  const beacon = (_path: string, body: string) => taken.push(body) < 2;
  fake.sender.leave(beacon);
  expect(taken.map((body) => JSON.parse(body).events.map(({ timestamp }: Item) => timestamp))).toEqual([
    [1, 2],
    [3, 4],
  ]);
  fake.sender.leave(() => true);
  fake.sender.leave(() => {
    throw new Error("handed over twice");
  });
  expect(fake.queue.items()).toEqual(items);
});

test("whoever leaves hands over what fits, though something before it does not", () => {
  const fake = fakeSender(() => STORED, 150);
  const items = [1, 2, 3].map((n) => itemOf(n, { filling: "x".repeat(n === 1 ? 1_000 : 100) }));
  for (const item of items) fake.sender.add(item);
  const taken: Sent["body"][] = [];
  fake.sender.leave((_path, body) => body.length < 500 && taken.push(JSON.parse(body)) > 0);
  expect(taken.map(({ events }) => events)).toEqual([[items[1]], [items[2]]]);
});
