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
