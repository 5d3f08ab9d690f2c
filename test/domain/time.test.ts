import fc from "fast-check";
import { expect, test } from "vitest";
import { aheadOfClock, HOUR, IsoTime, isoTime, Timestamp } from "../../domain/time.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

test("an instant is written in ISO 8601, in UTC, with milliseconds, and read back", () => {
  expect(isoTime(NOW)).toBe("2026-11-22T10:00:00.000Z");
  const instant = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(instant, (some) => {
      const text = isoTime(some);
      expect(IsoTime.safeParse(text).success).toBe(true);
      expect(Timestamp.parse(text)).toBe(some);
      expect(Timestamp.parse(some)).toBe(some);
    }),
  );
});

test.each([
  ["2026-11-22T10:00:00Z", NOW],
  ["2026-11-22T10:00:00.5Z", NOW + 500],
  ["2026-11-22T10:00:00.123456Z", NOW + 123],
  ["2026-11-22T12:00:00+02:00", NOW],
  ["2026-11-21T22:15:00-11:45", NOW],
  ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  [0, 0],
  [-62_167_219_200_000, -62_167_219_200_000],
  [253_402_300_799_999, 253_402_300_799_999],
])("%j is a time", (text, instant) => {
  expect(Timestamp.parse(text)).toBe(instant);
});

test.each([
  "",
  "now",
  "2026-11-22",
  "2026-11-22T10:00:00",
  "2026-11-22 10:00:00Z",
  "2026-11-22T25:00:00Z",
  "2026-02-29T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "+012026-11-22T10:00:00Z",
  "0000-01-01T00:00:00+01:00",
  "9999-12-31T23:59:59-01:00",
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e20,
  -62_167_219_200_001,
  253_402_300_800_000,
  null,
  true,
  {},
])("%j is none", (value) => {
  expect(Timestamp.safeParse(value).success).toBe(false);
});

test("up to an hour ahead is a clock's inaccuracy, more is an error; the past is welcome", () => {
  expect(aheadOfClock(undefined, NOW)).toBeUndefined();
  expect(aheadOfClock(-62_167_219_200_000, NOW)).toBeUndefined();
  expect(aheadOfClock(NOW + HOUR, NOW)).toBeUndefined();
  expect(aheadOfClock(NOW + HOUR + 1, NOW)).toContain("2026-11-22T10:00:00.000Z");
});
