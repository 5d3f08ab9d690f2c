import { readFileSync } from "node:fs";
import { z } from "zod";

const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );

const keys = list.refine(
  (all) => all.every((key) => key.length >= 16),
  "each key must have at least 16 characters",
);

const ORIGIN = "must be a comma list of origins such as https://shop.example, or *";

const origin = z.union(
  [z.literal("*"), z.url({ protocol: /^https?$/, error: ORIGIN }).transform((url) => new URL(url).origin)],
  { error: ORIGIN },
);

export const isPostgres = (database: string): boolean => /^postgres(?:ql)?:\/\//.test(database);

/** One variable for both: a file on a host, the text itself where there is none, as on Lambda. */
const certificates = z
  .string()
  .transform((text, context) => {
    if (text.trim() === "" || text.includes("-----BEGIN CERTIFICATE-----")) return text.trim() || undefined;
    try {
      return readFileSync(text, "utf8");
    } catch {
      context.addIssue({
        code: "custom",
        message: "must be certificates in PEM, or a file that can be read",
      });
      return z.NEVER;
    }
  })
  .optional();

const Environment = z.object({
  ANALYTICS_DATABASE: z
    .string()
    .min(1)
    .refine(
      (text) => !isPostgres(text) || URL.canParse(text),
      "must be a file, or postgres://user:password@host/name",
    )
    .default("data/analytics.db"),
  ANALYTICS_DATABASE_CA: certificates,
  ANALYTICS_HOST: z.string().min(1).default("127.0.0.1"),
  ANALYTICS_PORT: z
    .string()
    .regex(/^\d{1,5}$/, "must be a number from 0 to 65535")
    .transform(Number)
    .refine((port) => port <= 65_535, "must be a number from 0 to 65535")
    .default(20_000),
  ANALYTICS_WRITE_KEYS: keys,
  ANALYTICS_READ_KEYS: keys,
  ANALYTICS_ADMIN_KEYS: keys,
  ANALYTICS_CORS_ORIGINS: list.pipe(z.array(origin)),
  ANALYTICS_RATE_LIMIT: z.coerce.number().min(0).default(0),
  // Empty where serverless.yml hands on what nobody has set.
  ANALYTICS_RATE_BURST: z.preprocess(
    (text) => (text === "" ? undefined : text),
    z.coerce.number().int().min(1).optional(),
  ),
  ANALYTICS_REPORT_SECONDS: z.coerce.number().min(1).max(600).default(15),
  ANALYTICS_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  AWS_LAMBDA_FUNCTION_NAME: z.string().optional(),
  // Set by serverless-offline, which also sets the name of a function.
  IS_OFFLINE: z.string().optional(),
});
type Environment = z.infer<typeof Environment>;

/** The names that an operator may set; each is in the README's table. */
export const SETTING_NAMES = Object.keys(Environment.shape).filter((name) => name.startsWith("ANALYTICS_"));

export interface Keys {
  readonly write: readonly string[];
  readonly read: readonly string[];
  readonly admin: readonly string[];
}

export interface Rate {
  readonly perSecond: number;
  /** How many requests may come at once after a pause. */
  readonly burst: number;
}

export interface Settings {
  readonly database: string;
  /** Who has signed PostgreSQL's certificate, in PEM; undefined where Node knows them. */
  readonly databaseCa?: string | undefined;
  readonly host: string;
  readonly port: number;
  /** None at all where the server is open, which it may be on loopback only. */
  readonly keys: Keys | undefined;
  readonly corsOrigins: readonly string[];
  /** Undefined where callers are not limited. */
  readonly rate: Rate | undefined;
  /** How long a report about events may take. */
  readonly reportMs: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** What an operator reads when the server refuses to start over its settings. */
export class UnusableSettings extends Error {
  override readonly name = "UnusableSettings";
}

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i;

export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

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

function refuseOpenDoors({ ANALYTICS_HOST }: Environment, keys: Keys | undefined, onLambda: boolean): void {
  if (keys !== undefined) return;
  const place = onLambda ? "On AWS Lambda" : `On ${ANALYTICS_HOST}`;
  if (!onLambda && isLoopback(ANALYTICS_HOST)) return;
  throw new UnusableSettings(
    `${place} everybody can reach this server, and no keys are set. Set ANALYTICS_ADMIN_KEYS, ANALYTICS_WRITE_KEYS ` +
      "and ANALYTICS_READ_KEYS, or set ANALYTICS_HOST to 127.0.0.1.",
  );
}

function refuseFileOnLambda({ ANALYTICS_DATABASE }: Environment, onLambda: boolean): void {
  if (!onLambda || isPostgres(ANALYTICS_DATABASE)) return;
  throw new UnusableSettings(
    "On AWS Lambda a file does not outlive its function: set ANALYTICS_DATABASE to postgres://…",
  );
}

/** Reads the settings, once; throws one error that names every variable at fault and what to set. */
export function readSettings(variables: NodeJS.ProcessEnv): Settings {
  const parsed = Environment.safeParse(variables);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path[0]?.toString()}: ${message}`);
    throw new UnusableSettings(faults.join("; "));
  }
  const environment = parsed.data;
  const onLambda = environment.AWS_LAMBDA_FUNCTION_NAME !== undefined && environment.IS_OFFLINE === undefined;
  const keys = keysOf(environment);
  refuseOpenDoors(environment, keys, onLambda);
  refuseFileOnLambda(environment, onLambda);
  return {
    database: environment.ANALYTICS_DATABASE,
    databaseCa: environment.ANALYTICS_DATABASE_CA,
    host: environment.ANALYTICS_HOST,
    port: environment.ANALYTICS_PORT,
    keys,
    corsOrigins: environment.ANALYTICS_CORS_ORIGINS,
    rate: rateOf(environment),
    reportMs: environment.ANALYTICS_REPORT_SECONDS * 1000,
    logLevel: environment.ANALYTICS_LOG_LEVEL,
  };
}
