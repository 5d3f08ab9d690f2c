import { closest } from "fastest-levenshtein";
import { z } from "zod";
import type { Keeping } from "../domain/events/expiry.ts";
import { Zone } from "../domain/reports/range.ts";
import { isLoopback, type Network } from "./addresses.ts";
import {
  certificates,
  database,
  daysByType,
  decimal,
  host,
  isPostgres,
  keys,
  networks,
  oneOf,
  origins,
  wholeNumber,
} from "./setting-values.ts";

// serverless.yml passes an empty text for a variable that is not set.
const unlessEmpty = (value: unknown): unknown => (value === "" ? undefined : value);

const Environment = z.object({
  ANALYTICS_DATABASE: database.default("data/analytics.db"),
  ANALYTICS_DATABASE_CA: certificates.optional(),
  ANALYTICS_HOST: host.default("127.0.0.1"),
  ANALYTICS_PORT: wholeNumber(0, 65_535).default(20_000),
  ANALYTICS_WRITE_KEYS: keys.default([]),
  ANALYTICS_READ_KEYS: keys.default([]),
  ANALYTICS_ADMIN_KEYS: keys.default([]),
  ANALYTICS_CORS_ORIGINS: origins.default([]),
  ANALYTICS_TRUSTED_PROXY: networks.default([]),
  ANALYTICS_RATE_LIMIT: decimal(0, 1_000_000).default(0),
  ANALYTICS_RATE_BURST: z.preprocess(unlessEmpty, wholeNumber(1, 1_000_000).optional()),
  ANALYTICS_REPORT_SECONDS: decimal(1, 600).default(15),
  ANALYTICS_KEEP_DAYS: z.preprocess(unlessEmpty, wholeNumber(1, 36_500).optional()),
  ANALYTICS_KEEP_DAYS_BY_TYPE: z.preprocess(unlessEmpty, daysByType.default({})),
  ANALYTICS_KEEP_COUNTS: z.preprocess(unlessEmpty, oneOf("0", "1").default("0")),
  ANALYTICS_TIMEZONE: z.preprocess(unlessEmpty, Zone),
  ANALYTICS_LOG_LEVEL: oneOf("debug", "info", "warn", "error").default("info"),
  AWS_LAMBDA_FUNCTION_NAME: z.string().optional(),
  // Set by serverless-offline, which also sets the name of a function.
  IS_OFFLINE: z.string().optional(),
});
type Environment = z.infer<typeof Environment>;

/** The names that an operator may set. Each is in the README's table. */
export const SETTING_NAMES = Object.keys(Environment.shape).filter((name) => name.startsWith("ANALYTICS_"));

export interface Keys {
  readonly write: readonly string[];
  readonly read: readonly string[];
  readonly admin: readonly string[];
}

export interface Rate {
  readonly perSecond: number;
  /** The number of requests that may come at once after a pause. */
  readonly burst: number;
}

export interface Settings {
  readonly database: string;
  /** Certificates in PEM of the authority that signed PostgreSQL's certificate. Default: those that Node knows. */
  readonly databaseCa?: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Undefined where the server is open, which is possible on loopback only. */
  readonly keys: Keys | undefined;
  readonly corsOrigins: readonly string[];
  /** Proxies whose `X-Forwarded-For` names the client. */
  readonly trustedProxies: readonly Network[];
  /** Undefined where callers are not limited. */
  readonly rate: Rate | undefined;
  /** The time limit of a report about events. */
  readonly reportMs: number;
  /** How long events are kept. */
  readonly keeping: Keeping;
  /** The time zone in which the dashboard shows days until another one is chosen. */
  readonly timezone: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** The settings are wrong, and the server does not start. The message says which ones, and what to set. */
export class UnusableSettings extends Error {
  override readonly name = "UnusableSettings";
}

const nameFault = (name: string): string =>
  `${name} is not a setting of this server: did you mean ${closest(name.toUpperCase(), SETTING_NAMES)}?`;

/** A misspelt name must not pass: a typo in a key's name would leave the server open. */
const unknownNames = (variables: NodeJS.ProcessEnv): string[] =>
  Object.keys(variables)
    .filter((name) => /^analytics_/i.test(name) && !SETTING_NAMES.includes(name))
    .map(nameFault);

const KEY_SETTINGS = ["ANALYTICS_WRITE_KEYS", "ANALYTICS_READ_KEYS", "ANALYTICS_ADMIN_KEYS"] as const;

/** A key in two lists would give its holders more access than one of the lists says. */
function sharedKeys(environment: Environment): string[] {
  const lists = KEY_SETTINGS.map((name) => ({ name, keys: new Set(environment[name]) }));
  return lists.flatMap(({ name, keys: own }, index) =>
    lists
      .slice(index + 1)
      .filter(({ keys: others }) => [...own].some((key) => others.has(key)))
      .map((other) => `${other.name}: one of its keys is also in ${name}: give each role keys of its own`),
  );
}

function keysOf(environment: Environment): Keys | undefined {
  const found = {
    write: environment.ANALYTICS_WRITE_KEYS,
    read: environment.ANALYTICS_READ_KEYS,
    admin: environment.ANALYTICS_ADMIN_KEYS,
  };
  return Object.values(found).some((some) => some.length > 0) ? found : undefined;
}

function rateOf({
  ANALYTICS_RATE_LIMIT: perSecond,
  ANALYTICS_RATE_BURST: burst,
}: Environment): Rate | undefined {
  return perSecond === 0 ? undefined : { perSecond, burst: burst ?? Math.ceil(2 * perSecond) };
}

const SET_KEYS = "Set ANALYTICS_ADMIN_KEYS, ANALYTICS_WRITE_KEYS and ANALYTICS_READ_KEYS";

/** A server without keys must not be reachable from other machines. */
function openFault(environment: Environment, onLambda: boolean): string | undefined {
  const { ANALYTICS_HOST, ANALYTICS_TRUSTED_PROXY } = environment;
  if (keysOf(environment) !== undefined) return undefined;
  if (onLambda || !isLoopback(ANALYTICS_HOST)) {
    const place = onLambda ? "On AWS Lambda" : `On ${ANALYTICS_HOST}`;
    return `${place} everybody can reach this server, and no keys are set. ${SET_KEYS}, or set ANALYTICS_HOST to 127.0.0.1.`;
  }
  if (ANALYTICS_TRUSTED_PROXY.length === 0) return undefined;
  return `ANALYTICS_TRUSTED_PROXY: everybody who reaches the proxy can reach this server, and no keys are set. ${SET_KEYS}.`;
}

function fileFault({ ANALYTICS_DATABASE }: Environment, onLambda: boolean): string | undefined {
  if (!onLambda || isPostgres(ANALYTICS_DATABASE)) return undefined;
  return "On AWS Lambda a file is lost with its function: set ANALYTICS_DATABASE to postgres://…";
}

/** The variables with their types; throws one error that lists every fault of a name or value. */
function parseEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const parsed = Environment.safeParse(variables);
  const faults = [
    ...unknownNames(variables),
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${path[0]?.toString()}: ${message}`),
    ...(parsed.success ? sharedKeys(parsed.data) : []),
  ];
  if (parsed.success && faults.length === 0) return parsed.data;
  throw new UnusableSettings(faults.join("; "));
}

/** Reads the settings, once. Throws `UnusableSettings` over variables that make no sense. */
export function readSettings(variables: NodeJS.ProcessEnv): Settings {
  const environment = parseEnvironment(variables);
  const onLambda = environment.AWS_LAMBDA_FUNCTION_NAME !== undefined && environment.IS_OFFLINE === undefined;
  const fault = openFault(environment, onLambda) ?? fileFault(environment, onLambda);
  if (fault !== undefined) throw new UnusableSettings(fault);
  return {
    database: environment.ANALYTICS_DATABASE,
    databaseCa: environment.ANALYTICS_DATABASE_CA,
    host: environment.ANALYTICS_HOST,
    port: environment.ANALYTICS_PORT,
    keys: keysOf(environment),
    corsOrigins: environment.ANALYTICS_CORS_ORIGINS,
    trustedProxies: environment.ANALYTICS_TRUSTED_PROXY,
    rate: rateOf(environment),
    reportMs: environment.ANALYTICS_REPORT_SECONDS * 1000,
    keeping: {
      days: environment.ANALYTICS_KEEP_DAYS ?? null,
      byType: environment.ANALYTICS_KEEP_DAYS_BY_TYPE,
      counts: environment.ANALYTICS_KEEP_COUNTS === "1",
    },
    timezone: environment.ANALYTICS_TIMEZONE,
    logLevel: environment.ANALYTICS_LOG_LEVEL,
  };
}
