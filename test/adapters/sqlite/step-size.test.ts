import { expect, test } from "vitest";
import { createStepSize } from "../../../adapters/sqlite/step-size.ts";

const sizeOf = () => createStepSize({ aimMs: 40, least: 500, most: 5_000 });

test("steps grow to the most that they may take while they are fast, at most twofold each time", () => {
  const size = sizeOf();
  const sizes = Array.from({ length: 6 }, () => {
    const items = size.items;
    size.took(items, items / 1_000);
    return items;
  });
  expect(sizes).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test("a step that took too long makes the next one as small as its rate asks for, but not below the least", () => {
  const size = sizeOf();
  for (let step = 0; step < 4; step++) size.took(size.items, 1);
  size.took(5_000, 100);
  expect(size.items).toBe(2_000);
  size.took(2_000, 2_000);
  expect(size.items).toBe(500);
});

test("a step that was cut short counts by the items that it took", () => {
  const size = sizeOf();
  for (let step = 0; step < 4; step++) size.took(size.items, 1);
  size.took(100, 4);
  expect(size.items).toBe(1_000);
});
