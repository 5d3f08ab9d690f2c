function isZone(name: string | null | undefined): name is string {
  try {
    return typeof name === "string" && Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** The time zone of the project, which the server writes into the page. UTC without a page. */
export function projectZone(): string {
  const name = typeof document === "undefined" ? undefined : document.documentElement.dataset.timezone;
  return isZone(name) ? name : "UTC";
}

/**
 * The time zone that a link names, otherwise that of the project. A day is another one in another zone, and a link must show
 * the same figures to everybody, so the zone of the browser's clock does not count.
 */
export const zoneOf = (query: URLSearchParams): string =>
  [query.get("timezone")].find(isZone) ?? projectZone();

// Swedish writes a time as ISO 8601 does, with a space for the T.
const wallClock = (zone: string) =>
  new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short", timeStyle: "short" });

/** The time that clocks in a zone show, as a form field has it: "2026-11-26T09:30". */
export const localTime = (instant: number, zone: string): string =>
  wallClock(zone).format(instant).replace(" ", "T");

/**
 * The instant, in milliseconds since 1970, at which clocks in a zone show a time such as "2026-11-26T09:30". Of a time that they
 * show twice it is one of both; a time that they skip is moved by as much as the clocks are.
 */
export function instantOf(local: string, zone: string): number {
  const shown = Date.parse(`${local}Z`);
  const offsetAt = (instant: number): number => Date.parse(`${localTime(instant, zone)}Z`) - instant;
  // The offset of an instant near it may be the one before or after a change of clocks.
  const near = shown - offsetAt(shown);
  return shown - offsetAt(near);
}

/** The zone as a setting of a link, which names it only where it is not the project's. */
export const zoneSetting = (zone: string): string | undefined => (zone === projectZone() ? undefined : zone);
