import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { EventTypes, Flag, rangeOf, rangeShape, wholeNumber } from "../../../domain/reports/range.ts";
import { isoTime } from "../../../domain/time.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const Range = z.strictObject(rangeShape);

/** The range of a query with these parameters as two times, or its faults. */
function rangeFor(input: object, now = NOW) {
  const parsed = Range.safeParse(input);
  if (parsed.error) return parsed.error.issues.map(({ path, message }) => [path.join("."), message]);
  const range = rangeOf(parsed.data, now);
  if ("faults" in range) return range.faults.map(({ path, message }) => [path, message]);
  return [isoTime(range.value.from), isoTime(range.value.to)];
}

const ORDER = [["from", "must be before the end of the range, to"]];
const BOUND = "must be a date, as 2026-11-22, or a time with its zone, as 2026-11-22T10:00:00.000Z";
const SECONDS = "looks like seconds since 1970: send milliseconds, which are 1000 times as many, or ISO 8601";
const berlin = { timezone: "Europe/Berlin" };

describe("a time range", () => {
  test.each<[string, object, string[]]>([
    ["today and the 29 days before it", {}, ["2026-10-24T00:00:00.000Z", "2026-11-22T10:00:00.001Z"]],
    [
      "the last thirty days in a zone with a clock change since",
      berlin,
      ["2026-10-23T22:00:00.000Z", "2026-11-22T10:00:00.001Z"],
    ],
    [
      "thirty days up to a date",
      { to: "2026-03-31" },
      ["2026-03-02T00:00:00.000Z", "2026-04-01T00:00:00.000Z"],
    ],
    [
      "from the start of a local day to now",
      { from: "2026-11-22", ...berlin },
      ["2026-11-21T23:00:00.000Z", "2026-11-22T10:00:00.001Z"],
    ],
    [
      "one whole local day, of 23 hours",
      { from: "2026-03-29", to: "2026-03-29", ...berlin },
      ["2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"],
    ],
    [
      "from one instant to another",
      { from: "2026-11-22T09:00:00+01:00", to: "2026-11-22T08:00:00.001Z" },
      ["2026-11-22T08:00:00.000Z", "2026-11-22T08:00:00.001Z"],
    ],
    [
      "of epoch milliseconds, also before 1970",
      { from: "-157766400000", to: "1000000000000" },
      ["1965-01-01T00:00:00.000Z", "2001-09-09T01:46:40.000Z"],
    ],
    [
      "in other spellings of ISO 8601",
      { from: "2026-11-22 08:00+0530", to: "20261122T240000Z" },
      ["2026-11-22T02:30:00.000Z", "2026-11-23T00:00:00.000Z"],
    ],
    [
      "up to a date that clocks have skipped",
      { from: "2011-12-29", to: "2011-12-30", timezone: "Pacific/Apia" },
      ["2011-12-29T10:00:00.000Z", "2011-12-30T10:00:00.000Z"],
    ],
    [
      "the last day of the year 9999 in a zone behind UTC",
      { from: "9999-12-31", to: "9999-12-31", timezone: "America/Los_Angeles" },
      ["9999-12-31T08:00:00.000Z", "9999-12-31T23:59:59.999Z"],
    ],
    [
      "the first day of the year 0 in a zone ahead of UTC",
      { from: "0000-01-01", to: "0000-01-01", timezone: "Asia/Tokyo" },
      ["0000-01-01T00:00:00.000Z", "0000-01-01T14:41:01.000Z"],
    ],
    [
      "thirty days that begin before the year 0, cut to it",
      { to: "0000-01-03" },
      ["0000-01-01T00:00:00.000Z", "0000-01-04T00:00:00.000Z"],
    ],
    [
      "in the future",
      { from: "2027-01-01", to: "2027-01-01" },
      ["2027-01-01T00:00:00.000Z", "2027-01-02T00:00:00.000Z"],
    ],
  ])("may be %s", (_name, input, expected) => {
    expect(rangeFor(input)).toEqual(expected);
  });

  test.each<[string, object, string[][]]>([
    ["end where it begins", { from: "2026-11-22T08:00:00Z", to: "2026-11-22T08:00:00Z" }, ORDER],
    ["end before it begins", { from: "2026-11-22", to: "2026-11-21" }, ORDER],
    [
      "begin in the future without an end",
      { from: "2026-11-23" },
      [["from", "is still to come: a range without an end, to, ends now"]],
    ],
    ["begin at an object", { from: Object.create(null) }, [["from", BOUND]]],
    ["begin twice", { from: ["2026-11-21", "2026-11-22"] }, [["from", "must be given once"]]],
    [
      "begin at a time whose + became a space in the URL",
      { from: "2026-11-22T10:00:00 02:00" },
      [["from", `${BOUND}; write + as %2B in a URL`]],
    ],
    ["begin on a day that does not exist", { from: "2026-02-30" }, [["from", "is no day of the calendar"]]],
    [
      "be a date that clocks have skipped",
      { from: "2011-12-30", to: "2011-12-30", timezone: "Pacific/Apia" },
      [["from", "is a date that clocks in Pacific/Apia have skipped: ask for the day before or after"]],
    ],
    ["begin at a time in seconds", { from: "1795000000" }, [["from", SECONDS]]],
    ["end at a time in seconds", { from: "2026-11-01", to: "1795000000" }, [["to", SECONDS]]],
    ["end at a time without a zone", { to: "2026-11-22T10:00:00" }, [["to", BOUND]]],
    [
      "end at a time in microseconds",
      { to: "1795000000000000" },
      [["to", "looks like microseconds or nanoseconds since 1970: send milliseconds, or ISO 8601"]],
    ],
    ["begin yesterday", { from: "yesterday" }, [["from", BOUND]]],
    [
      "be in an unknown zone",
      { timezone: "Europe/Atlantis" },
      [["timezone", "must be the name of a time zone, as Europe/Berlin or UTC"]],
    ],
    [
      "be in a UTC offset, which ignores daylight saving time",
      { timezone: "+02:00" },
      [["timezone", "must be the name of a time zone, as Europe/Berlin or UTC"]],
    ],
  ])("must not %s", (_name, input, faults) => {
    expect(rangeFor(input)).toEqual(faults);
  });

  test("begins 29 local days before its last day, in any zone", () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
    const now = fc.integer({ min: Date.parse("1970-01-01"), max: Date.parse("2090-01-01") });
    fc.assert(
      fc.property(zone, now, (timezone, time) => {
        const range = rangeOf({ timezone }, time);
        const at = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone);
        const first = at.toPlainDate().subtract({ days: 29 }).toZonedDateTime(timezone).epochMilliseconds;
        expect(range).toEqual({ value: { from: first, to: time + 1 } });
      }),
    );
  });
});

describe("the event types of a query", () => {
  test.each<[unknown, string[]]>([
    [undefined, []],
    ["view", ["view"]],
    [
      ["view", "cart"],
      ["view", "cart"],
    ],
    [
      ["view", "cart", "view"],
      ["view", "cart"],
    ],
  ])("%j are read as %j", (input, types) => {
    expect(EventTypes.parse(input)).toEqual(types);
  });

  test("are limited to twenty", () => {
    const types = Array.from({ length: 21 }, (_, n) => `type ${n}`);
    expect(EventTypes.parse(types.slice(1))).toHaveLength(20);
    expect(EventTypes.safeParse(types).success).toBe(false);
  });

  test.each<[unknown, string]>([
    [" ", "must not be blank"],
    [["view", ""], "must not be blank"],
    [Array.from({ length: 21 }, (_, n) => `type ${n}`), "must be named at most 20 times"],
    [{ 0: "view" }, "must be a text; several are named as event_type=a&event_type=b"],
  ])("%j are refused with: %s", (input, message) => {
    expect(EventTypes.safeParse(input).error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});

describe("a whole number in a URL", () => {
  const Page = wholeNumber(1, 500);

  test("is read from plain digits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (number) => {
        expect(Page.parse(String(number))).toBe(number);
      }),
    );
  });

  test.each(["", "0", "501", "-1", "1.5", "1e2", "0x10", " 5", "+5", "five", "9".repeat(400), undefined, {}])(
    "cannot be %j",
    (input) => {
      expect(Page.safeParse(input).error?.issues.map(({ message }) => message)).toEqual([
        "must be a whole number from 1 to 500",
      ]);
    },
  );

  test("cannot be repeated", () => {
    expect(Page.safeParse(["1", "2"]).error?.issues).toMatchObject([{ message: "must be given once" }]);
  });
});

test.each<[unknown, boolean | undefined]>([
  [undefined, false],
  ["0", false],
  ["1", true],
  ["true", undefined],
  ["", undefined],
])("a flag of %j reads as %j", (text, flag) => {
  expect(Flag.safeParse(text).data).toBe(flag);
});
