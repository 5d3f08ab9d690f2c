import { type Changes, withChanges } from "../address.ts";
import { zoneOf } from "../zone.ts";

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

/** The date that a clock in the zone shows, as 2026-11-22. */
export function dateIn(zone: string, instant: number): string {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(instant);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

const midnightOf = (date: string): number => Date.parse(`${date}T00:00:00Z`);
const dateOf = (midnight: number): string => new Date(midnight).toISOString().slice(0, 10);

export const daysBefore = (date: string, days: number): string => dateOf(midnightOf(date) - days * DAY_MS);

const mondayOf = (date: string): string => daysBefore(date, (new Date(midnightOf(date)).getUTCDay() + 6) % 7);

/** The first and the last day of a month: 0 for the month of the date, -1 for the one before. */
function monthOf(date: string, months: number): Dates {
  const [year = 0, month = 1] = date.split("-").map(Number);
  return {
    from: dateOf(Date.UTC(year, month - 1 + months, 1)),
    to: dateOf(Date.UTC(year, month + months, 0)),
  };
}

/** The first and the last day of a range; undefined where it ends now, or begins thirty days ago. */
interface Dates {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

interface NamedRange {
  readonly label: string;
  readonly dates: (today: string) => Dates;
}

/** The calendar periods that a link names, by their value of `range`. */
export const NAMED_RANGES: Readonly<Record<string, NamedRange>> = {
  today: { label: "Today", dates: (today) => ({ from: today, to: today }) },
  yesterday: {
    label: "Yesterday",
    dates: (today) => ({ from: daysBefore(today, 1), to: daysBefore(today, 1) }),
  },
  this_week: {
    label: "This week",
    dates: (today) => ({ from: mondayOf(today), to: daysBefore(mondayOf(today), -6) }),
  },
  last_week: {
    label: "Last week",
    dates: (today) => ({ from: daysBefore(mondayOf(today), 7), to: daysBefore(mondayOf(today), 1) }),
  },
  this_month: { label: "This month", dates: (today) => monthOf(today, 0) },
  last_month: { label: "Last month", dates: (today) => monthOf(today, -1) },
};

/** The number of days up to today that a link asks for, where it names no dates. */
export function daysOf(query: URLSearchParams): number {
  const days = Number(query.get("days") ?? DEFAULT_DAYS);
  return Number.isInteger(days) && days > 0 && days <= 3650 ? days : DEFAULT_DAYS;
}

export const namesDates = (query: URLSearchParams): boolean => query.has("from") || query.has("to");

/** The name of a calendar period that a link asks for. Its own dates win. */
export function namedRange(query: URLSearchParams): string | undefined {
  const name = query.get("range");
  return name !== null && !namesDates(query) && Object.hasOwn(NAMED_RANGES, name) ? name : undefined;
}

/** Whether a link asks for a range at all. */
export const hasRange = (query: URLSearchParams): boolean =>
  query.has("days") || namesDates(query) || namedRange(query) !== undefined;

function datesOf(query: URLSearchParams, today: string): Dates {
  if (namesDates(query)) return { from: query.get("from") ?? undefined, to: query.get("to") ?? undefined };
  const name = namedRange(query);
  return NAMED_RANGES[name ?? ""]?.dates(today) ?? { from: daysBefore(today, daysOf(query) - 1) };
}

/** The range of a link as parameters of the API. A range that is not over yet ends now. */
export function rangeOf(query: URLSearchParams, now: number): Changes {
  const timezone = zoneOf(query);
  const today = dateIn(timezone, now);
  const { from, to } = datesOf(query, today);
  const isOpen = namedRange(query) !== undefined && to !== undefined && to >= today;
  return { from, to: isOpen ? undefined : to, timezone };
}

/** Like `rangeOf`, to compare with the period before: this month is compared with last month, and must be a whole one. */
export function wholeRangeOf(query: URLSearchParams, now: number): Changes {
  const timezone = zoneOf(query);
  return { ...datesOf(query, dateIn(timezone, now)), timezone };
}

/** The interval of a trend until another one is chosen: a single day is shown by hour. */
export const usualInterval = (query: URLSearchParams): string =>
  ["today", "yesterday"].includes(namedRange(query) ?? "") ? "hour" : "day";

/** Whether a link asks for a comparison with the period before. */
export const isCompared = (query: URLSearchParams): boolean => query.get("compare") === "previous";

/** The settings that choose the range of a link, for a link to another view. */
export function rangeSettings(query: URLSearchParams): Changes {
  if (namesDates(query)) return { from: query.get("from") ?? undefined, to: query.get("to") ?? undefined };
  const range = namedRange(query);
  return range === undefined ? { days: String(daysOf(query)) } : { range };
}

/** The settings of a link with the dates that its range has today, so that it shows the same figures later. */
export function withFixedDates(query: URLSearchParams, now: number): URLSearchParams {
  const timezone = zoneOf(query);
  const today = dateIn(timezone, now);
  const { from, to = today } = datesOf(query, today);
  return withChanges(query, { from, to, timezone, range: undefined, days: undefined });
}
