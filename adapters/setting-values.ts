import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { z } from "zod";
import { parseNetwork } from "./addresses.ts";
import { urlsOf } from "./postgres/hosts.ts";

// The values that environment variables may have. Each message follows the variable's name, says what to write, and never
// repeats the value, which may be a secret.

type Check = (text: string) => string | undefined;

/** A text that passes the checks; the first one that fails says why. */
const text = (...checks: Check[]) =>
  z.string().superRefine((value, context) => {
    const message = [quoted, ...checks].map((check) => check(value)).find((found) => found !== undefined);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

// Docker's env files keep them.
const quoted: Check = (value) =>
  /^(["'`]).*\1$/s.test(value) ? "is in quotation marks: write the value without them" : undefined;

const SCHEME = /^([a-z][a-z\d+.-]+):/i;

export const isPostgres = (database: string): boolean => /^postgres(?:ql)?:\/\//.test(database);

const DATABASE = "must be a file, or postgres://user:password@host/name";

/** A file's path, `:memory:`, or the URL of a PostgreSQL database. */
export const database = text(
  (value) => (value.trim() === "" || value !== value.trim() ? DATABASE : undefined),
  (value) => (isPostgres(value) && urlsOf(value) === undefined ? DATABASE : undefined),
  (value) =>
    !isPostgres(value) && SCHEME.test(value) ? `${DATABASE}; other schemes are not taken` : undefined,
);

/** Certificates as PEM text, or the path of a file that holds them. Empty means none. */
export const certificates = text().transform((value, context) => {
  const trimmed = value.trim();
  if (trimmed === "" || trimmed.includes("-----BEGIN CERTIFICATE-----")) return trimmed || undefined;
  try {
    return readFileSync(trimmed, "utf8");
  } catch {
    context.addIssue({ code: "custom", message: "must be certificates in PEM, or a file that can be read" });
    return z.NEVER;
  }
});

const HOST_NAME = /^(?:[a-z\d_](?:[a-z\d_-]*[a-z\d])?\.)*[a-z\d](?:[a-z\d-]*[a-z\d])?$/i;

export const host = text((value) =>
  isIP(value) !== 0 || HOST_NAME.test(value)
    ? undefined
    : "must be a host name or an IP address, without scheme, brackets or port",
);

/** A decimal number between bounds. `Number` alone would also take `0x10`, `1e3` and blanks. */
export const decimal = (least: number, most: number, pattern = /^\d+(?:\.\d+)?$/) =>
  text((value) =>
    pattern.test(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `must be a number from ${least} to ${most}`,
  ).transform(Number);

export const wholeNumber = (least: number, most: number) => decimal(least, most, /^\d+$/);

const DAYS_BY_TYPE = 'must be a JSON object of days by event type, such as {"page_view": 30}';
const DaysByType = z.record(z.string().min(1), z.int().min(1).max(36_500));

/** A JSON object of numbers of days. */
export const daysByType = z.string().transform((value, context) => {
  const parsed = DaysByType.safeParse(jsonOf(value));
  if (parsed.success) return parsed.data;
  context.addIssue({ code: "custom", message: DAYS_BY_TYPE });
  return z.NEVER;
});

function jsonOf(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

export const oneOf = <const Names extends readonly [string, string, ...string[]]>(...names: Names) =>
  z.enum(names, { error: `must be ${names.slice(0, -1).join(", ")} or ${names.at(-1)}` });

/** A comma list; items may have blanks around them. Empty means none, but a list of commas is a mistake. */
const list = text((value) =>
  value !== "" && itemsOf(value).length === 0
    ? "has no item: give at least one, or leave it unset"
    : undefined,
).transform(itemsOf);

function itemsOf(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

const MIN_KEY_LENGTH = 16;

function keyFault(key: string): string | undefined {
  if (/["'`]/.test(key)) return "a key has a quotation mark: write keys without them";
  if (key.includes(":")) return "a key has a colon, which Basic authentication cuts off: leave colons out";
  if (!/^[!-~]+$/.test(key))
    return "a key has a blank or a letter beyond ASCII: use ASCII letters, digits and signs";
  return key.length < MIN_KEY_LENGTH ? `each key must have at least ${MIN_KEY_LENGTH} characters` : undefined;
}

export const keys = list.superRefine((all, context) => {
  const message = all.map(keyFault).find((fault) => fault !== undefined);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const ORIGIN =
  "must be a comma list of origins such as https://shop.example, without path or star, or * alone";

function isOrigin(value: string): boolean {
  if (!/^https?:\/\/[^/?#@*]+\/?$/i.test(value) || !URL.canParse(value)) return false;
  return new URL(value).hostname !== "";
}

export const origins = list
  .superRefine((all, context) => {
    const isAny = all.length === 1 && all[0] === "*";
    if (!isAny && !all.every(isOrigin)) context.addIssue({ code: "custom", message: ORIGIN });
  })
  .transform((all) => all.map((item) => (item === "*" ? item : new URL(item).origin)));

const NETWORKS = "must be a comma list of IP addresses and networks such as 10.0.0.0/8";

export const networks = list.transform((all, context) => {
  const parsed = all.map(parseNetwork);
  const found = parsed.filter((network) => network !== undefined);
  if (found.length < parsed.length) context.addIssue({ code: "custom", message: NETWORKS });
  return found;
});
