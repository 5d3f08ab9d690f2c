import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { batchesOf } from "../../../web/client/batch.ts";
import { createMemoryQueue } from "../../../web/client/memory-queue.ts";
import { ADOPTED_AFTER, createQueue, type Item, type Queue } from "../../../web/client/queue.ts";
import { createStore, type Disk } from "../../../web/client/store.ts";
import { itemOf, memoryStore } from "./network.ts";

/** A disk that tabs share, with room for `room` characters. */
function diskOf(room = Number.POSITIVE_INFINITY): () => Disk {
  const disk: Disk = {};
  const full = new Proxy(disk, {
    set(entries, key, text) {
      const taken = Object.values(entries).reduce((sum, { length }) => sum + length, 0);
      if (taken - (entries[String(key)]?.length ?? 0) + text.length > room)
        throw new DOMException("full", "QuotaExceededError");
      return Reflect.set(entries, key, text);
    },
  });
  return () => full;
}

const numbers = fc.uniqueArray(fc.nat(999_999), { maxLength: 30 });
const idsOf = (items: readonly Item[]) => items.map(({ message_id }) => message_id);
const byTime = (some: readonly number[]) => idsOf([...some].sort((a, b) => a - b).map((n) => itemOf(n)));

test("the queue returns the items that were added and not removed, oldest first", () =>
  fc.assert(
    fc.property(numbers, fc.func(fc.boolean()), (added, isTaken) => {
      const queue = createQueue(createStore(diskOf()), 1e9);
      for (const n of added) queue.add(itemOf(n));
      queue.remove(added.filter((n) => isTaken(n)).map((n) => itemOf(n)));
      expect(idsOf(queue.items())).toEqual(byTime(added.filter((n) => !isTaken(n))));
    }),
  ));

test("two tabs that add at once lose none of each other's items, and the next page has them all", () =>
  fc.assert(
    fc.property(numbers, fc.func(fc.boolean()), (added, isFirst) => {
      const disk = diskOf();
      const tabs = [createQueue(createStore(disk), 1e9), createQueue(createStore(disk), 1e9)];
      for (const n of added) tabs[isFirst(n) ? 0 : 1]?.add(itemOf(n));
      expect(idsOf(createQueue(createStore(disk), 1e9).items())).toEqual(byTime(added));
    }),
  ));

test("another tab leaves fresh items to the tab that added them, and takes over old ones and ones of a wrong clock", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const disk = diskOf();
  const [one, other] = [createQueue(createStore(disk), 1e9), createQueue(createStore(disk), 1e9)];
  const fresh = itemOf(1, { timestamp: Date.now() });
  const old = itemOf(2, { timestamp: Date.now() - ADOPTED_AFTER - 1 });
  const ahead = itemOf(3, { timestamp: Date.now() + ADOPTED_AFTER + 1 });
  for (const item of [fresh, old, ahead]) one.add(item);
  expect(one.items()).toEqual([fresh, old, ahead]);
  expect(other.items()).toEqual([old, ahead]);
});

test.each([
  ["a page", () => createQueue(memoryStore(), 1e9)],
  ["a backend", () => createMemoryQueue(1e9)],
])("the queue of %s keeps the order of events when the clock is set back", (_, create) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const queue = create();
  const now = Date.now();
  for (const [event_type, at] of [
    ["first", now + 86_400_000],
    ["second", now],
    ["third", now + 1_000],
  ] as const) {
    vi.setSystemTime(at);
    queue.add({ user_id: "u1", event_type });
  }
  const items = queue.items();
  expect(items.map(({ event_type }) => event_type)).toEqual(["first", "second", "third"]);
  const times = items.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted());
  queue.remove(items);
  queue.add({ user_id: "u1", event_type: "fourth" });
  expect(queue.items().map(({ timestamp }) => timestamp)).toEqual([now + 1_000]);
});

test("the next page keeps the order of events when the clock was set back between the pages", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const disk = diskOf();
  const now = Date.now();
  vi.setSystemTime(now + 86_400_000);
  const before = createQueue(createStore(disk), 1e9);
  const types = Array.from({ length: 20 }, (_, n) => `event ${n}`);
  for (const event_type of types) before.add({ user_id: "u1", event_type });
  vi.setSystemTime(now);
  const page = createQueue(createStore(disk), 1e9);
  page.add({ user_id: "u1", event_type: "last" });
  expect(page.items().map(({ event_type }) => event_type)).toEqual([...types, "last"]);
  const times = page.items().map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted());
});

const weight = 1_000 + JSON.stringify(itemOf(0)).length;
/** Items of one length. */
const alike = (count: number) => Array.from({ length: count }, (_, n) => itemOf(100 + n, { timestamp: 0 }));
const roomAndCount = [fc.integer({ min: 1, max: 20 }), fc.nat(100)] as const;

const QUEUES: readonly [string, (room: number) => Queue][] = [
  ["a page", (room) => createQueue(createStore(diskOf()), room)],
  ["a backend", createMemoryQueue],
];

test.each(QUEUES)("the queue of %s drops its oldest items when it is full", (_, create) =>
  fc.assert(
    fc.property(...roomAndCount, (room, count) => {
      const queue = create(room * weight);
      for (const item of alike(count)) queue.add(item);
      expect(queue.items()).toEqual(alike(count).slice(-room));
    }),
  ),
);

test.each(QUEUES)("the queue of %s refuses an item over 64 KiB and drops none for it", (_, create) => {
  const queue = create(1e6);
  for (const item of alike(20)) queue.add(item);
  expect(() => queue.add(itemOf(200, { properties: { x: "x".repeat(1_000_000) } }))).toThrow("over 64 KiB");
  expect(() => queue.add(itemOf(201, { properties: { x: "x".repeat(65_536) } }))).toThrow("over 64 KiB");
  expect(queue.items()).toEqual(alike(20));
  queue.add(itemOf(202, { properties: { x: "x".repeat(65_000) } }));
  expect(queue.items()).toHaveLength(21);
});

test("the bound holds for the items that many pages have left, one each", () =>
  fc.assert(
    fc.property(...roomAndCount, (room, count) => {
      const disk = diskOf();
      for (const item of alike(count)) createQueue(createStore(disk), room * weight).add(item);
      expect(createQueue(createStore(disk), 0).items()).toEqual(alike(count).slice(-room));
    }),
  ));

test("the queue of a backend copies what it is given, and has room again for what was removed", () =>
  fc.assert(
    fc.property(...roomAndCount, (room, count) => {
      const queue = createMemoryQueue((room + 1) * weight);
      for (const item of alike(count)) {
        const fields = { ...item, properties: { n: 1 } };
        queue.add(fields);
        fields.properties.n = 2;
        expect(queue.items()).toEqual([{ ...item, properties: { n: 1 } }]);
        queue.remove(queue.items());
        queue.remove([item]);
      }
      for (const item of alike(room + 1)) queue.add(item);
      expect(queue.items()).toEqual(alike(room + 1));
    }),
  ));

test("a full queue of a backend takes more items without reading all of them", () => {
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  const queue = createMemoryQueue(100 * weight);
  for (const item of alike(300)) queue.add(item);
  expect(parse).toHaveBeenCalledTimes(300);
});

test.each([
  ["is full", diskOf(0)],
  [
    "is forbidden",
    () => {
      throw new DOMException("forbidden", "SecurityError");
    },
  ],
])("items are kept in memory where the disk %s", (_, disk) => {
  const queue = createQueue(createStore(disk), 1e9);
  for (const n of [2, 1]) queue.add(itemOf(n));
  expect(idsOf(queue.items())).toEqual(byTime([1, 2]));
  queue.remove(queue.items());
  expect(queue.items()).toEqual([]);
});

test("entries of other programs among the items stop none of them", () => {
  const disk = diskOf();
  const queue = createQueue(createStore(disk), 1e9);
  for (const text of ["", "{", "null", "5", "{}", "[]", '{"timestamp":1}'])
    disk()[`analytics.queue.${text}`] = text;
  queue.add(itemOf(1));
  expect(queue.items()).toEqual([itemOf(1)]);
});

test("batches contain every item once, in order, and are no longer than the limit", () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ path: fc.constantFrom("a", "b", undefined), filling: fc.string({ maxLength: 200 }) }),
      ),
      fc.integer({ min: 1, max: 1_000 }),
      (fields, maxLength) => {
        const items = fields.map((some, n) => itemOf(n, some));
        const paths = new Map(items.map((item, n) => [item, fields[n]?.path]));
        const batches = batchesOf(items, (item) => paths.get(item), maxLength);
        for (const path of ["a", "b"]) {
          const inBatches = batches.filter((batch) => batch.path === path).flatMap((batch) => batch.items);
          expect(inBatches).toEqual(items.filter((item) => paths.get(item) === path));
        }
        for (const { items, length } of batches) {
          expect(length).toBe(items.reduce((sum, item) => sum + JSON.stringify(item).length, 0));
          expect(items.length === 1 || length <= maxLength).toBe(true);
        }
      },
    ),
  ));
