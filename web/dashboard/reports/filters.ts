import type { Changes } from "../address.ts";

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

function isZone(name: string | null): name is string {
  try {
    return name !== null && Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** The zone that a link names, else the one of this browser's clock. One that this browser cannot tell times in is none. */
export function zoneOf(query: URLSearchParams): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [query.get("timezone"), own].find(isZone) ?? "UTC";
}

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

/** How many days up to today a link asks for, where it names no dates. */
export function daysOf(query: URLSearchParams): number {
  const days = Number(query.get("days") ?? DEFAULT_DAYS);
  return Number.isInteger(days) && days > 0 && days <= 3650 ? days : DEFAULT_DAYS;
}

export const namesDates = (query: URLSearchParams): boolean => query.has("from") || query.has("to");

/** The range of a link as the API wants it: the dates it names, or so many days up to now. */
export function rangeOf(query: URLSearchParams, now: number): Changes {
  const timezone = zoneOf(query);
  if (namesDates(query)) {
    return { from: query.get("from") ?? undefined, to: query.get("to") ?? undefined, timezone };
  }
  return { from: daysBefore(dateIn(timezone, now), daysOf(query) - 1), timezone };
}

const WHERE = /^where\[(.+)\]$/;

/** One `where[property]=value` of a link, which is also how the API is asked. */
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

/** The conditions of a link as the API wants them. */
export const whereOf = (query: URLSearchParams): Changes =>
  Object.fromEntries(conditionsOf(query).map(({ property, value }) => [whereName(property), value]));
