import { createHash } from "node:crypto";
import { placeOf } from "../../domain/events/page.ts";
import { parseIsoTime } from "../../domain/time.ts";
import type { Fields } from "../../handlers/compatible/intake.ts";

// Parts of the mappings. The properties have the names that page views of every client have.

const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === "\\N";

/** The first value that is there. CSV has blank ones; ClickHouse writes \N for null. */
export const firstOf = (...values: readonly unknown[]): unknown => values.find((value) => !isBlank(value));

/** The fields that have a value. */
export const filled = (fields: Fields): Fields =>
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

/** The page at an address: its path, host and UTM parameters. */
export function pageAt(url: unknown): Fields {
  if (typeof url !== "string" || !URL.canParse(url)) return {};
  return { url, hostname: new URL(url).hostname, ...placeOf(url) };
}

const DEVICES: Readonly<Record<string, string>> = {
  laptop: "desktop",
  smartphone: "mobile",
  phablet: "mobile",
  "smart tv": "tv",
};

/** The class of a device by its name in the live events, where it has one. */
export function deviceOf(name: unknown): unknown {
  if (typeof name !== "string") return name;
  const lower = name.toLowerCase();
  return Object.hasOwn(DEVICES, lower) ? DEVICES[lower] : lower;
}

/** A link of two ids of one person; undefined where there are no two. */
export const linkOf = (anonymous_id: unknown, user_id: unknown): Fields | undefined =>
  isBlank(anonymous_id) || isBlank(user_id) || anonymous_id === user_id
    ? undefined
    : { anonymous_id, user_id };
