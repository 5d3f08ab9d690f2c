import { Temporal } from "temporal-polyfill";
import { EARLIEST, type Instant } from "../time.ts";
import type { Interval } from "./buckets.ts";
import type { TimeRange } from "./range.ts";

type Unit = "months" | "weeks" | "days" | "hours";

const isDayStart = (time: Temporal.ZonedDateTime): boolean => time.equals(time.startOfDay());
const isMonthStart = (time: Temporal.ZonedDateTime): boolean => time.day === 1 && isDayStart(time);

/** The unit in which the range moves, so that the buckets of both periods match: a Monday is compared with a Monday. */
function unitOf(interval: Interval, start: Temporal.ZonedDateTime, end: Temporal.ZonedDateTime): Unit {
  if (interval === "week") return "weeks";
  if (interval === "month" || (isMonthStart(start) && isMonthStart(end))) return "months";
  return interval === "day" || isDayStart(start) ? "days" : "hours";
}

/**
 * The period before a range, in local time of the zone. It is as long in whole months where the range consists of whole
 * months or is divided into months, in weeks where it is divided into weeks, otherwise in days, or in hours for hours that
 * begin within a day. A range that is not over yet is compared with the same part of the period before. Undefined where
 * that period is before all times.
 *
 * Example: on Wednesday, this week is compared with last week from Monday up to the same time on Wednesday.
 */
export function previousRange(
  { from, to }: TimeRange,
  interval: Interval,
  zone: string,
  now: Instant,
): TimeRange | undefined {
  const at = (instant: Instant): Temporal.ZonedDateTime =>
    Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
  const [start, end, cut] = [at(from), at(to), at(now < from ? to : Math.min(to, now + 1))];
  const unit = unitOf(interval, start, end);
  const length = start.until(end, { largestUnit: unit, smallestUnit: unit, roundingMode: "ceil" });
  const first = start.subtract(length);
  // A shorter month has no 31st: the part of a month is added to its start, and ends with it.
  const last =
    unit === "months" ? first.add(start.until(cut, { largestUnit: "months" })) : cut.subtract(length);
  const previous = {
    from: Math.max(EARLIEST, first.epochMilliseconds),
    to: Math.min(from, last.epochMilliseconds),
  };
  return previous.from < previous.to ? previous : undefined;
}
