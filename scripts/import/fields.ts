import { createHash } from "node:crypto";
import { parseIsoTime } from "../../domain/time.ts";
import type { Fields } from "../../handlers/compatible/intake.ts";

// Parts of the mappings. The properties have the names that page views of every client have.

const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === "\\N";

/** The first value that is there. CSV has blank ones; ClickHouse writes \N for null. */
export const firstOf = (...values: readonly unknown[]): unknown => values.find((value) => !isBlank(value));

/** The fields that have a value. */
export const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isBlank(value)));

/**
 * A row's time as a timestamp; a time without a zone is UTC. A row without a time gets an invalid one, so that its event is
 * refused rather than stored as of now.
 */
export function timeOf(value: unknown): unknown {
  if (isBlank(value)) return "";
  return typeof value === "string" && parseIsoTime(`${value}Z`) !== undefined ? `${value}Z` : value;
}

/** A message id for a row without an id of its own: the same parts have the same id, in this file and in the next one. */
export const idFrom = (source: string, ...parts: readonly unknown[]): string =>
  `${source}:${createHash("sha256").update(JSON.stringify(parts)).digest("hex")}`;

const CAMPAIGN = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/** The UTM parameters of a query string. */
export function campaignOf(query: unknown): Fields {
  if (typeof query !== "string") return {};
  const parameters = new URLSearchParams(query);
  return present(Object.fromEntries(CAMPAIGN.map((name) => [name, parameters.get(name)])));
}

/** The path, host and UTM parameters of a page's address. */
export function placeOf(url: unknown): Fields {
  if (typeof url !== "string" || !URL.canParse(url)) return {};
  const { pathname, hostname, search } = new URL(url);
  return { url, path: pathname, hostname, ...campaignOf(search) };
}

/** The host of a referrer; a referrer that is no address stays as it is. */
export const hostOf = (url: unknown): unknown =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).hostname : url;

/** A link of two ids of one person; undefined where there are no two. */
export const linkOf = (anonymous_id: unknown, user_id: unknown): Fields | undefined =>
  isBlank(anonymous_id) || isBlank(user_id) || anonymous_id === user_id
    ? undefined
    : { anonymous_id, user_id };
