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

/** The zone as a setting of a link, which names it only where it is not the project's. */
export const zoneSetting = (zone: string): string | undefined => (zone === projectZone() ? undefined : zone);
