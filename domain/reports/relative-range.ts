import { Temporal } from "temporal-polyfill";
import { z } from "zod";
import type { Instant } from "../time.ts";

const PERIODS = ["today", "yesterday", "this_week", "last_week", "this_month", "last_month"] as const;

const FORM = new RegExp(`^(?:${PERIODS.join("|")}|last_[1-9]\\d{0,3}_days)$`);

/** A range that moves with time: a calendar period, or the last days up to today, as `last_30_days`. */
export const RelativeRange = z
  .string()
  .regex(FORM, `must be ${PERIODS.join(", ")}, or a number of days as last_30_days`)
  .meta({
    description: "A range that moves with time, in the time zone of the query.",
    examples: ["last_30_days", "this_week"],
  });
export type RelativeRange = z.infer<typeof RelativeRange>;

interface Days {
  readonly from: Temporal.PlainDate;
  readonly to?: Temporal.PlainDate;
}

/** The first and the last day of a range; a number of days always ends now. */
function daysOf(range: RelativeRange, today: Temporal.PlainDate): Days {
  const monday = today.subtract({ days: today.dayOfWeek - 1 });
  const first = today.with({ day: 1 });
  switch (range) {
    case "today":
      return { from: today, to: today };
    case "yesterday":
      return { from: today.subtract({ days: 1 }), to: today.subtract({ days: 1 }) };
    case "this_week":
      return { from: monday, to: monday.add({ days: 6 }) };
    case "last_week":
      return { from: monday.subtract({ days: 7 }), to: monday.subtract({ days: 1 }) };
    case "this_month":
      return { from: first, to: first.add({ months: 1 }).subtract({ days: 1 }) };
    case "last_month":
      return { from: first.subtract({ months: 1 }), to: first.subtract({ days: 1 }) };
    default:
      return { from: today.subtract({ days: Number(/\d+/.exec(range)?.[0]) - 1 }) };
  }
}

/** The bounds of a report's query. Without `to` the range ends now. */
export interface Dates {
  readonly from: string;
  readonly to?: string;
}

/**
 * The dates that a relative range has now. A range that is not over yet ends now, unless the `whole` period is asked for:
 * this month is compared with the whole of last month.
 *
 * @example datesOf("this_week", "UTC", Date.parse("2026-11-26T10:00Z")) // { from: "2026-11-23" }
 */
export function datesOf(range: RelativeRange, zone: string, now: Instant, whole = false): Dates {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).toPlainDate();
  const { from, to } = daysOf(range, today);
  const ends = to !== undefined && (whole || Temporal.PlainDate.compare(to, today) < 0);
  return { from: from.toString(), ...(ends ? { to: to.toString() } : {}) };
}
