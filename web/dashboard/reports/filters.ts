import type { Changes } from "../address.ts";
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

export const daysBefore = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) - days * DAY_MS).toISOString().slice(0, 10);

/** The number of days up to today that a link asks for, where it names no dates. */
export function daysOf(query: URLSearchParams): number {
  const days = Number(query.get("days") ?? DEFAULT_DAYS);
  return Number.isInteger(days) && days > 0 && days <= 3650 ? days : DEFAULT_DAYS;
}

export const namesDates = (query: URLSearchParams): boolean => query.has("from") || query.has("to");

/** The range of a link as parameters of the API: the dates that it names, or a number of days up to now. */
export function rangeOf(query: URLSearchParams, now: number): Changes {
  const timezone = zoneOf(query);
  if (namesDates(query)) {
    return { from: query.get("from") ?? undefined, to: query.get("to") ?? undefined, timezone };
  }
  return { from: daysBefore(dateIn(timezone, now), daysOf(query) - 1), timezone };
}

const WHERE = /^where\[(.+)\]$/;

/** One `where[property]=value` of a link. The API takes it in the same form. */
export interface Condition {
  readonly property: string;
  readonly value: string;
}

export const conditionsOf = (query: URLSearchParams): Condition[] =>
  [...query].flatMap(([name, value]) => {
    const property = WHERE.exec(name)?.[1];
    return property === undefined ? [] : [{ property, value }];
  });

export const whereName = (property: string): string => `where[${property}]`;

/** The conditions of a link as parameters of the API. */
export const whereOf = (query: URLSearchParams): Changes =>
  Object.fromEntries(conditionsOf(query).map(({ property, value }) => [whereName(property), value]));

/** The settings of a report that also filter events, for a link from the report to the events behind it. */
export const eventsBehind = (query: URLSearchParams): Changes => ({
  event_type: query.getAll("event_type"),
  ...(namesDates(query)
    ? { from: query.get("from") ?? undefined, to: query.get("to") ?? undefined }
    : { days: String(daysOf(query)) }),
  ...whereOf(query),
});
