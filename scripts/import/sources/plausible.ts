import { PAGE_VIEW } from "../../../domain/events/page.ts";
import type { Fields } from "../../../handlers/compatible/intake.ts";
import { filled, firstOf, idFrom } from "../fields.ts";
import type { Item, Source } from "../source.ts";

// https://github.com/plausible/analytics/blob/master/lib/plausible/exports.ex: totals by day, in the site's time zone.

/** More than any page of any site gets in a day. */
const MOST_PER_ROW = 10_000_000;

/** The total of a row; undefined where it is none. */
function totalOf(value: unknown): number | undefined {
  const text = String(value ?? "");
  const total = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN;
  return total <= MOST_PER_ROW ? total : undefined;
}

interface Totals {
  readonly event_type: unknown;
  readonly column: "pageviews" | "events";
  readonly properties: Fields;
}

/** The events that a row counts; undefined where its totals cannot become events. */
function totalsOf(row: Fields, site: string | undefined): Totals | undefined {
  const hostname = firstOf(row.hostname, site);
  if (firstOf(row.page) !== undefined && row.pageviews !== undefined) {
    const properties = { path: row.page, hostname };
    return { event_type: PAGE_VIEW, column: "pageviews", properties };
  }
  if (firstOf(row.name) !== undefined && row.events !== undefined) {
    const properties = { url: row.link_url, path: row.path, hostname };
    return { event_type: row.name, column: "events", properties };
  }
  return undefined;
}

const UNKNOWN = {
  path: "row",
  message: "has totals that cannot become events; those of imported_pages and imported_custom_events can",
};

/** Noon is the same day in nearly every time zone. */
const noonOf = (date: unknown): string => `${String(date).slice(0, 10)}T12:00:00Z`;

function* itemsOf(row: Fields, site: string | undefined): Generator<Item> {
  const totals = totalsOf(row, site);
  if (totals === undefined) return yield { fault: UNKNOWN };
  const { event_type, column } = totals;
  const total = totalOf(row[column]);
  if (total === undefined) {
    return yield { fault: { path: column, message: `must be a number up to ${MOST_PER_ROW}` } };
  }
  const properties = filled(totals.properties);
  // Without the total: the last day of an earlier export is not complete, and a later one adds only what is missing.
  const id = idFrom("plausible", row.date, event_type, properties);
  for (let place = 0; place < total; place++) {
    yield { event: { event_type, message_id: `${id}:${place}`, timestamp: noonOf(row.date), properties } };
  }
}

/** `site` names the site, which only some of the files do. */
export const plausible = (site: string | undefined): Source => ({
  product: "Plausible",
  origin: "imported_pages_….csv and imported_custom_events_….csv of the archive that Plausible exports",
  read: new Set(["date", "hostname", "page", "pageviews", "name", "link_url", "path", "events"]),
  itemsOf: (row) => itemsOf(row, site),
});
