import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import {
  bucketAt,
  edgesOf,
  endOfDate,
  Interval,
  isZone,
  startOfDate,
} from "../../../domain/reports/buckets.ts";
import { DAY, HOUR, type Instant, isoTime } from "../../../domain/time.ts";
import { cases } from "../../random.ts";

const ZONES = Intl.supportedValuesOf("timeZone");
const at = (instant: Instant, zone: string) =>
  Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
const MANY = 100_000;
const edges = (interval: Interval, zone: string, from: string, to: string) =>
  edgesOf(interval, zone, Date.parse(from), Date.parse(to), MANY)?.map(isoTime);

const hoursBetween = (some: readonly Instant[]) =>
  some.slice(1).map((edge, index) => (edge - (some[index] ?? 0)) / HOUR);

// --- The expected edges, computed with Temporal's own calendar arithmetic. ----------------------------------------

type Long = Exclude<Interval, "hour">;

function periodOf(date: Temporal.PlainDate, interval: Long): Temporal.PlainDate {
  if (interval === "month") return date.with({ day: 1 });
  return interval === "week" ? date.subtract({ days: date.dayOfWeek - 1 }) : date;
}

/** The starts of all periods from well before the range to well after it. */
function longStarts(interval: Long, zone: string, from: Instant, to: Instant): Instant[] {
  const starts: Instant[] = [];
  let date = periodOf(at(from, zone).toPlainDate().subtract({ days: 40 }), interval);
  while (starts.length === 0 || (starts.at(-1) ?? 0) < to + 40 * DAY) {
    starts.push(date.toZonedDateTime(zone).epochMilliseconds);
    date = date.add({ [`${interval}s`]: 1 });
  }
  return starts;
}

/** Full hours and clock changes, from a day before the range to after it. */
function hourStarts(zone: string, from: Instant, to: Instant): Instant[] {
  const starts: Instant[] = [];
  let now = from - DAY;
  while (now <= to + DAY) {
    const time = at(now, zone);
    const change = time.getTimeZoneTransition("next")?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
    const local = now + time.offsetNanoseconds / 1e6;
    now = Math.min(change, now + HOUR - (((local % HOUR) + HOUR) % HOUR));
    starts.push(now);
  }
  return starts;
}

function expectedEdges(interval: Interval, zone: string, from: Instant, to: Instant): Instant[] {
  const starts = interval === "hour" ? hourStarts(zone, from, to) : longStarts(interval, zone, from, to);
  const before = starts.filter((start) => start <= from);
  const after = starts.filter((start) => start >= to);
  const within = starts.filter((start) => start > from && start < to);
  return [...new Set([Math.max(...before), ...within, Math.min(...after)])];
}

const MOST: Record<Interval, number> = { hour: 4 * DAY, day: 50 * DAY, week: 300 * DAY, month: 1_500 * DAY };

const zone = fc.constantFrom(...ZONES);
/** Includes years before standard time, when offsets had odd seconds. */
const instant = fc.integer({ min: Date.parse("1850-01-01"), max: Date.parse("2090-01-01") });

const byDays = fc.integer({ min: -2 * DAY, max: 2 * DAY });
const byMinutes = fc.integer({ min: -90 * 60_000, max: 90 * 60_000 });

/** An instant near the next clock change of the zone, if there is one. */
const nearChange = fc.tuple(zone, instant, fc.oneof(byDays, byMinutes)).map(([name, time, by]) => {
  const change = at(time, name).getTimeZoneTransition("next");
  return { name, from: (change?.epochMilliseconds ?? time) + by };
});

const ranges = fc.oneof(fc.record({ name: zone, from: instant }), nearChange);

describe("the edges of periods", () => {
  test.each(Interval.options)("agree with the calendar of Temporal in any zone and year: %s", (interval) => {
    const length = fc.integer({ min: 1, max: MOST[interval] });
    fc.assert(
      fc.property(ranges, length, ({ name, from }, some) => {
        const found = edgesOf(interval, name, from, from + some, MANY);
        expect(found).toEqual(expectedEdges(interval, name, from, from + some));
      }),
      { numRuns: cases(150) },
    );
  });

  test("give days of 23 and 25 hours at clock changes", () => {
    const spring =
      edgesOf("day", "Europe/Berlin", Date.parse("2026-03-28"), Date.parse("2026-03-31"), 9) ?? [];
    expect(hoursBetween(spring)).toEqual([24, 23, 24, 24]);
    const autumn = edges("day", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T23:00:00Z");
    expect(autumn).toEqual(["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]);
  });

  test("give an hour of half the length when clocks change by half an hour", () => {
    const from = Date.parse("2026-04-04T14:00:00Z");
    const found = edgesOf("hour", "Australia/Lord_Howe", from, from + 3 * HOUR, 9) ?? [];
    expect(hoursBetween(found)).toEqual([1, 0.5, 1, 1]);
  });

  test("begin hours in Kathmandu a quarter past those of UTC", () => {
    expect(edges("hour", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")).toEqual([
      "2025-12-31T23:15:00.000Z",
      "2026-01-01T00:15:00.000Z",
      "2026-01-01T01:15:00.000Z",
    ]);
  });

  test("leave out the day that Samoa skipped", () => {
    expect(edges("day", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-31T09:00:00Z")).toEqual([
      "2011-12-29T10:00:00.000Z",
      "2011-12-30T10:00:00.000Z",
      "2011-12-31T10:00:00.000Z",
    ]);
  });

  test("continue a day in which clocks went back over midnight, as in Newfoundland", () => {
    // At 00:01 it became 23:01 again.
    expect(edges("day", "America/St_Johns", "2006-10-29T03:00:00Z", "2006-10-30T03:00:00Z")).toEqual([
      "2006-10-29T02:30:00.000Z",
      "2006-10-30T03:30:00.000Z",
    ]);
  });

  test("begin weeks on Monday, also across the new year", () => {
    expect(edges("week", "UTC", "2026-12-31T00:00:00Z", "2027-01-05T00:00:00Z")).toEqual([
      "2026-12-28T00:00:00.000Z",
      "2027-01-04T00:00:00.000Z",
      "2027-01-11T00:00:00.000Z",
    ]);
  });

  test("give months their correct lengths, also in the first century", () => {
    expect(edges("month", "UTC", "0099-02-10T00:00:00Z", "0099-03-31T00:00:00Z")).toEqual([
      "0099-02-01T00:00:00.000Z",
      "0099-03-01T00:00:00.000Z",
      "0099-04-01T00:00:00.000Z",
    ]);
  });

  test("are undefined beyond the limit of buckets", () => {
    fc.assert(
      fc.property(
        ranges,
        fc.constantFrom(...Interval.options),
        fc.nat({ max: 30 * DAY }),
        (where, interval, some) => {
          const [from, to] = [where.from, where.from + 1 + some];
          const all = edgesOf(interval, where.name, from, to, MANY) ?? [];
          const buckets = all.length - 1;
          expect(edgesOf(interval, where.name, from, to, buckets)).toEqual(all);
          expect(edgesOf(interval, where.name, from, to, buckets - 1)).toBeUndefined();
        },
      ),
    );
  });

  test("refuse a range of ten thousand years without computing edges", () => {
    const [from, to] = [Date.parse("0000-01-01"), Date.parse("9999-12-31")];
    for (const interval of Interval.options) {
      expect(edgesOf(interval, "America/New_York", from, to, 10_000)).toBeUndefined();
    }
  });
});

describe("the day of a date", () => {
  const date = instant.map((time) => isoTime(time).slice(0, 10));

  test("begins at the first instant at which clocks show this or a later date", () => {
    fc.assert(
      fc.property(zone, date, (name, day) => {
        const start = startOfDate(day, name);
        expect(Temporal.PlainDate.compare(at(start, name).toPlainDate(), day)).toBeGreaterThanOrEqual(0);
        expect(Temporal.PlainDate.compare(at(start - 1, name).toPlainDate(), day)).toBe(-1);
      }),
    );
  });

  test("ends where the next one begins", () => {
    fc.assert(
      fc.property(zone, date, (name, day) => {
        const next = Temporal.PlainDate.from(day).add({ days: 1 }).toString();
        expect(endOfDate(day, name)).toBe(startOfDate(next, name));
      }),
    );
  });

  test("has 23 hours in Berlin when clocks go forward", () => {
    expect(endOfDate("2026-03-29", "Europe/Berlin") - startOfDate("2026-03-29", "Europe/Berlin")).toBe(
      23 * HOUR,
    );
  });

  test("begins at the clock change where clocks go forward over midnight, as in Beirut", () => {
    expect(isoTime(startOfDate("2026-03-29", "Asia/Beirut"))).toBe("2026-03-28T22:00:00.000Z");
  });
});

describe("the bucket of an instant", () => {
  test("contains the instant, or is -1 outside all buckets", () => {
    const some = fc
      .uniqueArray(fc.integer({ min: -20, max: 20 }), { maxLength: 10 })
      .map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(some, fc.integer({ min: -25, max: 25 }), (cuts, time) => {
        const expected = cuts.findIndex((cut, index) => cut <= time && time < (cuts[index + 1] ?? cut));
        expect(bucketAt(cuts, time)).toBe(expected);
      }),
    );
  });
});

describe("a zone", () => {
  test.each([
    "UTC",
    "Europe/Berlin",
    "America/Argentina/Buenos_Aires",
    "Asia/Kolkata",
    "Etc/GMT+5",
    "europe/berlin",
  ])("can be named %s", (name) => {
    expect(isZone(name)).toBe(true);
  });

  test.each(["", "Mars/Olympus", "+02:00", "-05", "2026-11-22", "Europe/Berlin ", "[UTC]"])(
    "cannot be named “%s”",
    (name) => {
      expect(isZone(name)).toBe(false);
    },
  );
});
