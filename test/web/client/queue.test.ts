import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { batchesOf } from "../../../web/client/batch.ts";
import { createMemoryQueue } from "../../../web/client/memory-queue.ts";
import { ADOPTED_AFTER, createQueue, type Item } from "../../../web/client/queue.ts";
import { createStore, type Disk } from "../../../web/client/store.ts";
import { itemOf } from "./network.ts";

/** A disk as tabs share it, with room for so many characters. Its keys are its properties, as those of Web Storage. */
function diskOf(room = Number.POSITIVE_INFINITY): () => Disk {
  const disk: Record<string, string> = {};
  const methods: Disk = {
    getItem: (key) => disk[key] ?? null,
    setItem(key, text) {
      const taken = Object.values(disk).reduce((sum, { length }) => sum + length, 0);
      if (taken - (disk[key]?.length ?? 0) + text.length > room)
        throw new DOMException("full", "QuotaExceededError");
      disk[key] = text;
    },
    removeItem(key) {
      delete disk[key];
    },
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(disk, name, { value });
  return () => disk as never;
}

const numbers = fc.uniqueArray(fc.nat(999_999), { maxLength: 30 });
const idsOf = (items: readonly Item[]) => items.map(({ message_id }) => message_id);
const byTime = (some: readonly number[]) => idsOf([...some].sort((a, b) => a - b).map((n) => itemOf(n)));

test("the queue gives back what was put in and not taken out, oldest first", () =>
  fc.assert(
    fc.property(numbers, fc.func(fc.boolean()), (added, isTaken) => {
      const queue = createQueue(createStore(diskOf()), 1e9);
      for (const n of added) queue.add(itemOf(n));
      queue.remove(added.filter((n) => isTaken(n)).map((n) => itemOf(n)));
      expect(idsOf(queue.items())).toEqual(byTime(added.filter((n) => !isTaken(n))));
    }),
  ));

test("two tabs that add at once lose nothing of each other's, and the next page has it all", () =>
  fc.assert(
    fc.property(numbers, fc.func(fc.boolean()), (added, isFirst) => {
      const disk = diskOf();
      const tabs = [createQueue(createStore(disk), 1e9), createQueue(createStore(disk), 1e9)];
      for (const n of added) tabs[isFirst(n) ? 0 : 1]?.add(itemOf(n));
      expect(idsOf(createQueue(createStore(disk), 1e9).items())).toEqual(byTime(added));
    }),
  ));

test("what another tab has only just added is left to it; what is older is not, nor where the clock was set back", () => {
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

const weight = 1_000 + JSON.stringify(itemOf(0)).length;
/** Of the same length each, so that so many of them fit. */
const alike = (count: number) => Array.from({ length: count }, (_, n) => itemOf(100 + n, { timestamp: 0 }));
const roomAndCount = [fc.integer({ min: 1, max: 20 }), fc.nat(100)] as const;

test.each([
  ["a page", (room: number) => createQueue(createStore(diskOf()), room)],
  ["a backend", createMemoryQueue],
])("the queue of %s keeps within its bound by forgetting the oldest", (_, create) =>
  fc.assert(
    fc.property(...roomAndCount, (room, count) => {
      const queue = create(room * weight);
      for (const item of alike(count)) queue.add(item);
      expect(queue.items()).toEqual(alike(count).slice(-room));
    }),
  ),
);

test("the bound holds for what many pages have left lying, one item each", () =>
  fc.assert(
    fc.property(...roomAndCount, (room, count) => {
      const disk = diskOf();
      for (const item of alike(count)) createQueue(createStore(disk), room * weight).add(item);
      expect(createQueue(createStore(disk), 0).items()).toEqual(alike(count).slice(-room));
    }),
  ));

test("the queue of a backend gives back what was put in as it was then, and has room for as much as was taken out", () =>
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

test("the queue of a backend that is full takes more without reading all it has", () => {
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  const queue = createMemoryQueue(100 * weight);
  for (const item of alike(300)) queue.add(item);
  expect(parse).toHaveBeenCalledTimes(300);
});

test.each([
  ["there is no disk", undefined],
  ["the disk is full", diskOf(0)],
  [
    "the disk is forbidden",
    () => {
      throw new DOMException("forbidden", "SecurityError");
    },
  ],
])("keeps items in memory where %s", (_, disk) => {
  const queue = createQueue(createStore(disk), 1e9);
  for (const n of [2, 1]) queue.add(itemOf(n));
  expect(idsOf(queue.items())).toEqual(byTime([1, 2]));
  queue.remove(queue.items());
  expect(queue.items()).toEqual([]);
});

test("what somebody else wrote among the items stops none of them", () => {
  const disk = diskOf();
  const queue = createQueue(createStore(disk), 1e9);
  for (const text of ["", "{", "null", "5", "{}", "[]", '{"timestamp":1}'])
    disk().setItem(`analytics.queue.${text}`, text);
  queue.add(itemOf(1));
  expect(queue.items()).toEqual([itemOf(1)]);
});

test("batches hold every item once, in order, together as long as they are short enough", () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ path: fc.constantFrom("a", "b", undefined), filling: fc.string({ maxLength: 200 }) }),
      ),
      fc.integer({ min: 1, max: 1_000 }),
      (fields, maxLength) => {
        const items = fields.map((some, n) => itemOf(n, some));
        const batches = batchesOf(items, ({ path }) => path as string | undefined, maxLength);
        for (const path of ["a", "b"]) {
          const inBatches = batches.filter((batch) => batch.path === path).flatMap((batch) => batch.items);
          expect(inBatches).toEqual(items.filter((item) => item.path === path));
        }
        for (const { items, length } of batches) {
          expect(length).toBe(items.reduce((sum, item) => sum + JSON.stringify(item).length, 0));
          expect(items.length === 1 || length <= maxLength).toBe(true);
        }
      },
    ),
  ));
