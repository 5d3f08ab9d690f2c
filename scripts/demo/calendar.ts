import { DAY, HOUR, type Instant } from "../../domain/time.ts";
import { choiceOf, type Random } from "./random.ts";

export const DAYS = 90;

/** The shop's first ninety days, from a midnight (UTC) until now, with their special times. */
export interface Calendar {
  readonly start: Instant;
  readonly now: Instant;
  /** When the new search, with filters, was released. */
  readonly release: Instant;
  /** Share of all new visitors that arrive on each day. */
  readonly arrivals: readonly number[];
  isCampaign(at: Instant): boolean;
  isOutage(at: Instant): boolean;
}

const CAMPAIGN = { from: 47 * DAY, to: 51 * DAY };
const RELEASE = 54 * DAY + 9 * HOUR;
const OUTAGE = { from: 66 * DAY + 13 * HOUR, to: 66 * DAY + 20 * HOUR };

const GROWTH = 1.2;
const CAMPAIGN_PULL = 2.6;
// Sunday first. People look for plants before the weekend and are out on it.
const WEEK = [0.85, 1.1, 1.05, 1, 1.05, 1.15, 0.8];

const isWithin = ({ from, to }: { from: number; to: number }, at: number): boolean => at >= from && at < to;

const weekday = (at: Instant): number => new Date(at).getUTCDay();

function arrivalWeight(start: Instant, day: number): number {
  const growth = 1 + (GROWTH * day) / DAYS;
  const campaign = isWithin(CAMPAIGN, day * DAY) ? CAMPAIGN_PULL : 1;
  return growth * campaign * (WEEK[weekday(start + day * DAY)] ?? 1);
}

export function calendarUntil(now: Instant): Calendar {
  // The first midnight within ninety days. Today is the last day and not over yet.
  const start = Math.ceil((now - DAYS * DAY) / DAY) * DAY;
  const weights = Array.from({ length: DAYS }, (_, day) => arrivalWeight(start, day));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return {
    start,
    now,
    release: start + RELEASE,
    arrivals: weights.map((weight) => weight / sum),
    isCampaign: (at) => isWithin(CAMPAIGN, at - start),
    isOutage: (at) => isWithin(OUTAGE, at - start),
  };
}

// Weight of each hour of a local day: low at night, a peak at lunch, the highest in the evening.
const hourOfDay = choiceOf(
  [12, 7, 4, 2, 2, 4, 10, 22, 36, 44, 48, 52, 62, 58, 48, 46, 50, 58, 68, 84, 96, 88, 58, 28].map(
    (weight, hour) => [hour, weight],
  ),
);

/** A likely time of a visit on this day (UTC). `hoursAhead` is the UTC offset of the visitor. */
export function timeOn(day: Instant, hoursAhead: number, random: Random): Instant {
  const hour = (hourOfDay(random) - hoursAhead + 24) % 24;
  return day + (Math.floor((hour + random.unit()) * HOUR) % DAY);
}

const SATURDAY = 6;
const WEEKEND_PUT_OFF = 0.25;

/** The time of a person's next visit, about `days` after the last one. */
export function nextVisit(last: Instant, days: number, hoursAhead: number, random: Random): Instant {
  let day = Math.floor((last + days * DAY) / DAY) * DAY;
  if (weekday(day) % SATURDAY === 0 && random.chance(WEEKEND_PUT_OFF)) day += 2 * DAY;
  const at = timeOn(day, hoursAhead, random);
  // After the last visit has ended.
  return at < last + 2 * HOUR ? at + DAY : at;
}
