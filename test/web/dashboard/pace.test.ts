import { expect, test } from "vitest";
import { paceOf } from "../../../web/dashboard/experiments/pace.ts";

const NOW = Date.parse("2026-11-22T00:00:00Z");
const DAY = 86_400_000;

/** Days with the users of two variants together at their ends. */
const daysWith = (users: Readonly<Record<string, number>>) => ({
  days: Object.entries(users).map(([day, total]) => ({
    day,
    variants: [total / 2, total / 2].map((half, index) => ({
      variant_id: index,
      variant_name: `${index}`,
      is_control: index === 0,
      users: half,
      metrics: [],
    })),
  })),
});

test("an experiment of two days goes on at the pace of both", () => {
  const timeline = daysWith({ "2026-11-20": 100, "2026-11-21": 400 });
  expect(paceOf(timeline, 1_000, NOW)).toEqual({ usersADay: 200, end: NOW + 3 * DAY });
});

test("users from before the last seven days do not count into the pace", () => {
  const timeline = daysWith({ "2026-10-01": 5_000, "2026-11-14": 5_300, "2026-11-21": 6_000 });
  expect(paceOf(timeline, 6_500, NOW)).toEqual({ usersADay: 100, end: NOW + 5 * DAY });
});

test("a day without users is part of the pace", () => {
  const timeline = daysWith({ "2026-11-12": 700, "2026-11-16": 770 });
  expect(paceOf(timeline, 780, NOW)).toEqual({ usersADay: 10, end: NOW + DAY });
});

test.each([
  ["there are no days", {}],
  ["no user came in the last seven days", { "2026-11-01": 100 }],
  ["nobody came at all", { "2026-11-21": 0 }],
])("there is no pace where %s", (_, users) => {
  expect(paceOf(daysWith(users), 1_000, NOW)).toBeUndefined();
});
