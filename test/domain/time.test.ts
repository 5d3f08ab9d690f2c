import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, IsoTime, isoTime, Timestamp } from "../../domain/time.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

const anyInstant = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

const faultOf = (value: unknown): string | undefined =>
  Timestamp.safeParse(value)
    .error?.issues.map(({ message }) => message)
    .join("; ");

test("an instant is formatted as ISO 8601 in UTC with milliseconds, and parsed back", () => {
  expect(isoTime(NOW)).toBe("2026-11-22T10:00:00.000Z");
  fc.assert(
    fc.property(anyInstant, (instant) => {
      const text = isoTime(instant);
      expect(IsoTime.safeParse(text).success).toBe(true);
      expect(Timestamp.parse(text)).toBe(instant);
      if (Math.abs(instant) >= 1e11) expect(Timestamp.parse(instant)).toBe(instant);
    }),
  );
});

describe("a timestamp", () => {
  // Formats printed by the standard libraries of other languages.
  test.each([
    ["JavaScript", "2026-11-22T10:00:00.000Z", NOW],
    ["Go, RFC 3339 with nanoseconds", "2026-11-22T11:00:00.123456789+01:00", NOW + 123],
    ["Java, Instant without seconds of a fraction", "2026-11-22T10:00:00Z", NOW],
    ["Java, OffsetDateTime at a full minute", "2026-11-22T10:00Z", NOW],
    ["Java, ZonedDateTime", "2026-11-22T11:00+01:00[Europe/Berlin]", NOW],
    ["Python, str of a datetime", "2026-11-22 10:00:00.5+00:00", NOW + 500],
    ["Python and C, %z", "2026-11-22T15:30:00+0530", NOW],
    ["PostgreSQL", "2026-11-22 15:00:00.25+05", NOW + 250],
    ["PHP, DATE_ISO8601", "2026-11-22T08:00:00-0200", NOW],
    [".NET, seven digits", "2026-11-22T10:00:00.1234567Z", NOW + 123],
    ["Delphi and German locales, a comma", "2026-11-22T10:00:00,7Z", NOW + 700],
    ["RFC 3339 in lower case", "2026-11-22t10:00:00z", NOW],
    ["ISO 8601, basic form", "20261122T100000Z", NOW],
    ["ISO 8601, basic form with a fraction and an offset", "20261122T113000.25+0130", NOW + 250],
    ["ISO 8601, basic form without seconds", "20261122T1000Z", NOW],
    ["ISO 8601, the minus sign of typography", "2026-11-22T08:00:00\u221202:00", NOW],
    ["ISO 8601, the end of a day", "2026-11-22T24:00:00Z", NOW + 14 * HOUR],
    ["ISO 8601, the end of a year", "2026-12-31T24:00Z", Date.UTC(2027, 0, 1)],
    ["a long fraction", `2026-11-22T10:00:00.9${"9".repeat(500)}Z`, NOW + 999],
    ["an unusual offset", "2026-11-21T22:15:00-11:45", NOW],
    ["a leap day", "2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["the first year", "0000-01-01T00:00:00.000Z", -62_167_219_200_000],
    ["the last instant", "9999-12-31T23:59:59.999Z", 253_402_300_799_999],
  ])("accepts the format of %s: %s", (_name, text, instant) => {
    expect(Timestamp.parse(text)).toBe(instant);
  });

  test.each([
    [NOW, NOW],
    [NOW + 0.75, NOW],
    [1e11, 1e11],
    [-1e11, -1e11],
    [-62_167_219_200_000, -62_167_219_200_000],
    [253_402_300_799_999, 253_402_300_799_999],
  ])("accepts %d milliseconds", (value, instant) => {
    expect(Timestamp.parse(value)).toBe(instant);
  });

  test("has the same value in every format of fraction, separator and offset", () => {
    const minutes = fc.integer({ min: -14 * 60, max: 14 * 60 });
    const spelling = fc.record({
      separator: fc.constantFrom("T", "t", " "),
      point: fc.constantFrom(".", ","),
      colon: fc.constantFrom(":", ""),
    });
    const instant = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9998, 0, 1) });
    fc.assert(
      fc.property(instant, minutes, spelling, (time, offset, { separator, point, colon }) => {
        const local = isoTime(time + offset * 60_000).slice(0, -1);
        const [hours, rest] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const zone = [hours, rest].map((part) => String(part).padStart(2, "0")).join(colon);
        const text = local.replace("T", separator).replace(".", point) + (offset < 0 ? "-" : "+") + zone;
        expect(Timestamp.parse(text)).toBe(time);
      }),
    );
  });

  test.each([1_795_000_000, 1_795_000_000.5, 0, 1, -1, 99_999_999_999, -99_999_999_999])(
    "refuses %d as seconds",
    (value) => {
      expect(faultOf(value)).toBe(
        "looks like seconds since 1970: send milliseconds, which are 1000 times as many, or ISO 8601",
      );
    },
  );

  test.each([NOW * 1e3, NOW * 1e6, 253_402_300_800_000])("refuses %d as microseconds", (value) => {
    expect(faultOf(value)).toMatch(/^looks like microseconds or nanoseconds/);
  });

  test.each(["2026-11-22T10:00:00", "2026-11-22 10:00", "20261122T100000"])(
    "refuses %s without a zone",
    (text) => {
      expect(faultOf(text)).toBe(
        "must end with its zone, as 2026-11-22T10:00:00Z or 2026-11-22T10:00:00+01:00",
      );
    },
  );

  test.each([
    "0000-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "9999-12-31T24:00:00Z",
    -62_167_219_200_001,
  ])("refuses %s outside the years 0000 to 9999", (value) => {
    expect(faultOf(value)).toBe("must lie in the years 0000 to 9999");
  });

  test.each([
    "",
    "now",
    "2026-11-22",
    "1795000000000",
    "2026-11-22T25:00:00Z",
    "2026-11-22T24:00:01Z",
    "2026-11-22T24:01Z",
    "2026-11-22T10:60:00Z",
    "2026-11-22T10:00:60Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-11-00T00:00:00Z",
    "202611-22T10:00:00Z",
    "2026-11-22T1000:00Z",
    "2026-11-22T10:00:00.Z",
    "2026-11-22T10:00:00+25:00",
    "2026-11-22T10:00:00+01:60",
    "2026-11-22T10:00:00 Z",
    "+012026-11-22T10:00:00Z",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    null,
    true,
    {},
    [NOW],
  ])("refuses %j", (value) => {
    expect(faultOf(value)).toBe(
      "must be ISO 8601 with a zone, as 2026-11-22T10:00:00.000Z, or milliseconds since 1970",
    );
  });
});
