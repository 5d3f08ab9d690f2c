import { expect, test } from "vitest";
import { createGroups } from "../../../adapters/postgres/groups.ts";

const items = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test("has room until as much is waiting as the lanes take at once, and again when it is stored", async () => {
  const { join, hasRoom } = createGroups<number, number>(async (some) => some);
  expect(hasRoom()).toBe(true);
  const first = join(items(1_999));
  expect(hasRoom()).toBe(true);
  const second = join(items(1));
  expect(hasRoom()).toBe(false);
  await Promise.all([first, second]);
  expect(hasRoom()).toBe(true);
});

test("past a bound items are refused with the time to come back, and what was accepted is stored", async () => {
  const { join } = createGroups<number, number>(async (some) => some);
  const accepted = join(items(20_000));
  await expect(join(items(1))).rejects.toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  expect(await accepted).toEqual(items(20_000));
});

test("a group is limited by the rows that its items make", async () => {
  const groups: number[] = [];
  const { join } = createGroups<number, number>(
    async (some) => {
      groups.push(some.length);
      return some;
    },
    () => 2,
  );
  await Promise.all([400, 100, 100, 700].map((count) => join(items(count))));
  // Two rows each: 1,000 rows, then 200, since the next one alone makes more than there is room for.
  expect(groups).toEqual([500, 100, 700]);
});

test("few waiting items make one group after another, and many make two at once", async () => {
  let running = 0;
  const atOnce: number[] = [];
  const { join } = createGroups<number, number>(async (some) => {
    running += 1;
    atOnce.push(running);
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    running -= 1;
    return some;
  });
  const first = join(items(1));
  await new Promise(setImmediate);
  const few = [join(items(3)), join(items(3))];
  await Promise.all([first, ...few]);
  expect(atOnce).toEqual([1, 1]);
  const again = join(items(1));
  await new Promise(setImmediate);
  await Promise.all([again, join(items(40))]);
  expect(atOnce).toEqual([1, 1, 1, 2]);
});
