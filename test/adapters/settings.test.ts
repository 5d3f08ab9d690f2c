import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readSettings, SETTING_NAMES, UnusableSettings } from "../../adapters/settings.ts";

const KEY = "0123456789abcdef";
const OTHER = "fedcba9876543210";

const defaults = {
  database: "data/analytics.db",
  host: "127.0.0.1",
  port: 20_000,
  keys: undefined,
  corsOrigins: [],
  trustedProxies: [],
  rate: undefined,
  reportMs: 15_000,
  keeping: { days: null, byType: {}, counts: false },
  timezone: "UTC",
  logLevel: "info",
};

test("the defaults are loopback, port 20000, a database file and no keys", () => {
  expect(readSettings({})).toEqual(defaults);
});

test("variables of other programs are ignored", () => {
  expect(readSettings({ PATH: "/bin", MY_ANALYTICS_KEY: "else" })).toEqual(defaults);
});

test.each<[Record<string, string>, object]>([
  [{ ANALYTICS_DATABASE: "/var/lib/events.db" }, { database: "/var/lib/events.db" }],
  [{ ANALYTICS_DATABASE: "C:\\data\\events.db" }, { database: "C:\\data\\events.db" }],
  [{ ANALYTICS_DATABASE: ":memory:" }, { database: ":memory:" }],
  [{ ANALYTICS_DATABASE: "postgres://db.example/a" }, { database: "postgres://db.example/a" }],
  [{ ANALYTICS_DATABASE: "postgresql://db.example/a" }, { database: "postgresql://db.example/a" }],
  [{ ANALYTICS_HOST: "localhost" }, { host: "localhost" }],
  [{ ANALYTICS_HOST: "::1" }, { host: "::1" }],
  [{ ANALYTICS_PORT: "8080" }, { port: 8080 }],
  [{ ANALYTICS_PORT: "0" }, { port: 0 }],
  [{ ANALYTICS_WRITE_KEYS: KEY }, { keys: { write: [KEY], read: [], admin: [] } }],
  [{ ANALYTICS_READ_KEYS: ` ${KEY} , ${KEY}2,` }, { keys: { write: [], read: [KEY, `${KEY}2`], admin: [] } }],
  [
    { ANALYTICS_ADMIN_KEYS: "-._~+/=!$&*()@0123", ANALYTICS_HOST: "0.0.0.0" },
    { host: "0.0.0.0", keys: { write: [], read: [], admin: ["-._~+/=!$&*()@0123"] } },
  ],
  [{ ANALYTICS_WRITE_KEYS: "", ANALYTICS_READ_KEYS: "" }, { keys: undefined }],
  [
    { ANALYTICS_CORS_ORIGINS: "https://shop.example, http://localhost:3000" },
    { corsOrigins: ["https://shop.example", "http://localhost:3000"] },
  ],
  [{ ANALYTICS_CORS_ORIGINS: "HTTPS://Shop.Example:443/" }, { corsOrigins: ["https://shop.example"] }],
  [{ ANALYTICS_CORS_ORIGINS: "*" }, { corsOrigins: ["*"] }],
  [{ ANALYTICS_RATE_LIMIT: "100" }, { rate: { perSecond: 100, burst: 200 } }],
  [{ ANALYTICS_RATE_LIMIT: "0.2" }, { rate: { perSecond: 0.2, burst: 1 } }],
  [{ ANALYTICS_RATE_LIMIT: "5", ANALYTICS_RATE_BURST: "7" }, { rate: { perSecond: 5, burst: 7 } }],
  [{ ANALYTICS_RATE_BURST: "7" }, { rate: undefined }],
  [{ ANALYTICS_RATE_LIMIT: "5", ANALYTICS_RATE_BURST: "" }, { rate: { perSecond: 5, burst: 10 } }],
  [{ ANALYTICS_REPORT_SECONDS: "2.5" }, { reportMs: 2_500 }],
  [{ ANALYTICS_KEEP_DAYS: "365" }, { keeping: { days: 365, byType: {}, counts: false } }],
  [{ ANALYTICS_KEEP_DAYS: "", ANALYTICS_KEEP_DAYS_BY_TYPE: "" }, {}],
  [
    { ANALYTICS_KEEP_DAYS_BY_TYPE: '{"view": 30}' },
    { keeping: { days: null, byType: { view: 30 }, counts: false } },
  ],
  [
    { ANALYTICS_KEEP_DAYS: "30", ANALYTICS_KEEP_COUNTS: "1" },
    { keeping: { days: 30, byType: {}, counts: true } },
  ],
  [{ ANALYTICS_KEEP_COUNTS: "" }, {}],
  [{ ANALYTICS_TIMEZONE: "Europe/Berlin" }, { timezone: "Europe/Berlin" }],
  [{ ANALYTICS_TIMEZONE: "" }, { timezone: "UTC" }],
  [{ ANALYTICS_LOG_LEVEL: "debug" }, { logLevel: "debug" }],
])("%j is read as %j", (variables, settings) => {
  expect(readSettings(variables)).toEqual({ ...defaults, ...settings });
});

test("trusted proxies are read as addresses and networks of IPv4 and IPv6", () => {
  const variables = {
    ANALYTICS_ADMIN_KEYS: KEY,
    ANALYTICS_TRUSTED_PROXY: "127.0.0.1, 10.0.0.0/8, ::1, fd00::/8",
  };
  const found = readSettings(variables).trustedProxies.map(([first, bits]) => `${first}/${bits}`);
  expect(found).toEqual(["127.0.0.1/32", "10.0.0.0/8", "::1/128", "fd00::/8"]);
});

const DATABASE = "ANALYTICS_DATABASE: must be a file, or postgres://user:password@host/name";
const ORIGINS = "ANALYTICS_CORS_ORIGINS: must be a comma list of origins such as https://shop.example";
const PORT = "ANALYTICS_PORT: must be a number from 0 to 65535";
const RATE = "ANALYTICS_RATE_LIMIT: must be a number from 0 to 1000000";
const HOST = "ANALYTICS_HOST: must be a host name or an IP address, without scheme, brackets or port";
const QUOTES = "is in quotation marks: write the value without them";
const NETWORKS =
  "ANALYTICS_TRUSTED_PROXY: must be a comma list of IP addresses and networks such as 10.0.0.0/8";

test.each<[Record<string, string>, string]>([
  [{ ANALYTICS_DATABASE: "" }, DATABASE],
  [{ ANALYTICS_DATABASE: " data/a.db" }, DATABASE],
  [{ ANALYTICS_DATABASE: "mysql://user:secret@db/a" }, DATABASE],
  [{ ANALYTICS_DATABASE: "POSTGRES://user:secret@db/a" }, DATABASE],
  [{ ANALYTICS_DATABASE: "postgres:/db/a" }, DATABASE],
  [{ ANALYTICS_DATABASE: "postgres://[db/a" }, DATABASE],
  [{ ANALYTICS_DATABASE: "file:x.db" }, DATABASE],
  [{ ANALYTICS_DATABASE: "sqlite:///x.db" }, DATABASE],
  [{ ANALYTICS_DATABASE: '"data/analytics.db"' }, `ANALYTICS_DATABASE: ${QUOTES}`],
  [{ ANALYTICS_HOST: "" }, HOST],
  [{ ANALYTICS_HOST: "http://127.0.0.1" }, HOST],
  [{ ANALYTICS_HOST: "127.0.0.1:20000" }, HOST],
  [{ ANALYTICS_HOST: "[::1]" }, HOST],
  [{ ANALYTICS_HOST: " 127.0.0.1" }, HOST],
  [{ ANALYTICS_PORT: "http" }, PORT],
  [{ ANALYTICS_PORT: "65536" }, PORT],
  [{ ANALYTICS_PORT: "-1" }, PORT],
  [{ ANALYTICS_PORT: "80.5" }, PORT],
  [{ ANALYTICS_PORT: "" }, PORT],
  [{ ANALYTICS_PORT: "0x10" }, PORT],
  [{ ANALYTICS_PORT: " 80" }, PORT],
  [{ ANALYTICS_PORT: "'80'" }, `ANALYTICS_PORT: ${QUOTES}`],
  [{ ANALYTICS_WRITE_KEYS: "short" }, "ANALYTICS_WRITE_KEYS: each key must have at least 16 characters"],
  [{ ANALYTICS_READ_KEYS: `${KEY},short` }, "ANALYTICS_READ_KEYS: each key must have at least 16 characters"],
  [{ ANALYTICS_ADMIN_KEYS: "short" }, "ANALYTICS_ADMIN_KEYS: each key must have at least 16 characters"],
  [
    { ANALYTICS_ADMIN_KEYS: " , ," },
    "ANALYTICS_ADMIN_KEYS: has no item: give at least one, or leave it unset",
  ],
  [{ ANALYTICS_WRITE_KEYS: " " }, "ANALYTICS_WRITE_KEYS: has no item"],
  [{ ANALYTICS_ADMIN_KEYS: `"${KEY}"` }, `ANALYTICS_ADMIN_KEYS: ${QUOTES}`],
  [{ ANALYTICS_ADMIN_KEYS: `"${KEY}",${OTHER}` }, "ANALYTICS_ADMIN_KEYS: a key has a quotation mark"],
  [{ ANALYTICS_ADMIN_KEYS: "correct horse battery" }, "ANALYTICS_ADMIN_KEYS: a key has a blank"],
  [
    { ANALYTICS_ADMIN_KEYS: "schlüssel-0123456" },
    "ANALYTICS_ADMIN_KEYS: a key has a blank or a letter beyond ASCII",
  ],
  [{ ANALYTICS_ADMIN_KEYS: "name:0123456789abc" }, "ANALYTICS_ADMIN_KEYS: a key has a colon"],
  [
    { ANALYTICS_ADMIN_KEYS: KEY, ANALYTICS_READ_KEYS: `${OTHER},${KEY}` },
    "ANALYTICS_ADMIN_KEYS: one of its keys is also in ANALYTICS_READ_KEYS: give each role keys of its own",
  ],
  [
    { ANALYTICS_WRITE_KEYS: KEY, ANALYTICS_READ_KEYS: KEY },
    "ANALYTICS_READ_KEYS: one of its keys is also in ANALYTICS_WRITE_KEYS",
  ],
  [{ ANALYTICS_CORS_ORIGINS: "shop.example" }, ORIGINS],
  [{ ANALYTICS_CORS_ORIGINS: "ftp://shop.example" }, ORIGINS],
  [{ ANALYTICS_CORS_ORIGINS: "https://shop.example/app" }, ORIGINS],
  [{ ANALYTICS_CORS_ORIGINS: "https://shop.example?x" }, ORIGINS],
  [{ ANALYTICS_CORS_ORIGINS: "https://*.shop.example" }, ORIGINS],
  [{ ANALYTICS_CORS_ORIGINS: "https://user@shop.example" }, ORIGINS],
  [{ ANALYTICS_CORS_ORIGINS: "*, https://shop.example" }, ORIGINS],
  [{ ANALYTICS_CORS_ORIGINS: "null" }, ORIGINS],
  [{ ANALYTICS_RATE_LIMIT: "fast" }, RATE],
  [{ ANALYTICS_RATE_LIMIT: "-1" }, RATE],
  [{ ANALYTICS_RATE_LIMIT: "0x10" }, RATE],
  [{ ANALYTICS_RATE_LIMIT: "1e3" }, RATE],
  [{ ANALYTICS_RATE_LIMIT: "Infinity" }, RATE],
  [{ ANALYTICS_RATE_LIMIT: "" }, RATE],
  [{ ANALYTICS_RATE_BURST: "0" }, "ANALYTICS_RATE_BURST: must be a number from 1 to 1000000"],
  [{ ANALYTICS_RATE_BURST: "1.5" }, "ANALYTICS_RATE_BURST: must be a number from 1 to 1000000"],
  [{ ANALYTICS_REPORT_SECONDS: "0" }, "ANALYTICS_REPORT_SECONDS: must be a number from 1 to 600"],
  [{ ANALYTICS_REPORT_SECONDS: "601" }, "ANALYTICS_REPORT_SECONDS: must be a number from 1 to 600"],
  [{ ANALYTICS_LOG_LEVEL: "loud" }, "ANALYTICS_LOG_LEVEL: must be debug, info, warn or error"],
  [{ ANALYTICS_LOG_LEVEL: "" }, "ANALYTICS_LOG_LEVEL: must be debug, info, warn or error"],
  [{ ANALYTICS_TRUSTED_PROXY: "proxy.example" }, NETWORKS],
  [{ ANALYTICS_TRUSTED_PROXY: "10.0.0.0/33" }, NETWORKS],
  [{ ANALYTICS_TRUSTED_PROXY: "10.0.0.0/x" }, NETWORKS],
  [
    { ANALYTICS_TRUSTED_PROXY: "127.0.0.1" },
    "ANALYTICS_TRUSTED_PROXY: everybody who reaches the proxy can reach this server, and no keys are set",
  ],
  [{ ANALYTICS_DATABASE_CA: "/no/such/file" }, "ANALYTICS_DATABASE_CA: must be certificates in PEM"],
])("%j is refused with the message %s", (variables, message) => {
  expect(() => readSettings(variables)).toThrow(UnusableSettings);
  expect(() => readSettings(variables)).toThrow(message);
});

test.each([
  ["ANALYTICS_ADMIN_KEY", "ANALYTICS_ADMIN_KEYS"],
  ["ANALYTICS_WRITEKEYS", "ANALYTICS_WRITE_KEYS"],
  ["ANALYTICS_CORS_ORIGIN", "ANALYTICS_CORS_ORIGINS"],
  ["ANALYTICS_DATABSE", "ANALYTICS_DATABASE"],
  ["ANALYTICS_TRUSTED_PROXIES", "ANALYTICS_TRUSTED_PROXY"],
  ["analytics_port", "ANALYTICS_PORT"],
])("the unknown name %s is refused with the suggestion %s", (name, nearest) => {
  expect(() => readSettings({ [name]: "secret-value" })).toThrow(
    new UnusableSettings(`${name} is not a setting of this server: did you mean ${nearest}?`),
  );
});

test("one message lists every fault and contains no key", () => {
  const variables = {
    ANALYTICS_PROT: "80",
    ANALYTICS_PORT: "http",
    ANALYTICS_LOG_LEVEL: "loud",
    ANALYTICS_ADMIN_KEYS: "too-short",
  };
  const read = () => readSettings(variables);
  expect(read).toThrow(/ANALYTICS_PROT.*ANALYTICS_PORT.*ANALYTICS_ADMIN_KEYS.*ANALYTICS_LOG_LEVEL/s);
  expect(read).not.toThrow("too-short");
});

test.each(["0.0.0.0", "::", "192.168.1.7", "analytics.example", "127.0.0.1.example", "localhost.example"])(
  "without keys the server refuses to start on %s, with the setting to change",
  (host) => {
    const read = () => readSettings({ ANALYTICS_HOST: host });
    expect(read).toThrow(UnusableSettings);
    expect(read).toThrow(/ANALYTICS_ADMIN_KEYS.*ANALYTICS_WRITE_KEYS.*ANALYTICS_READ_KEYS.*ANALYTICS_HOST/s);
  },
);

test("on Lambda the server refuses to start without keys or with a database file", () => {
  const onLambda = { AWS_LAMBDA_FUNCTION_NAME: "analytics" };
  expect(() => readSettings(onLambda)).toThrow(/On AWS Lambda .* no keys are set/);
  expect(() => readSettings({ ...onLambda, ANALYTICS_ADMIN_KEYS: KEY })).toThrow(
    "On AWS Lambda a file is lost with its function: set ANALYTICS_DATABASE to postgres://…",
  );
  const database = "postgres://db.example/analytics";
  expect(readSettings({ ...onLambda, ANALYTICS_ADMIN_KEYS: KEY, ANALYTICS_DATABASE: database })).toEqual({
    ...defaults,
    database,
    keys: { write: [], read: [], admin: [KEY] },
  });
});

test("serverless-offline is not treated as Lambda, although it sets a function name", () => {
  expect(readSettings({ AWS_LAMBDA_FUNCTION_NAME: "analytics", IS_OFFLINE: "true" })).toEqual(defaults);
});

test("the README's table has every setting with its default and meaning, and no other", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const rows = readme.matchAll(/^\| `(ANALYTICS_\w+)` \| \S.* \| \S.{10,} \|$/gm);
  expect([...rows].map(([, name]) => name).sort()).toEqual([...SETTING_NAMES].sort());
});
