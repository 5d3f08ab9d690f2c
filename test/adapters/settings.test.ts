import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isLoopback, readSettings, SETTING_NAMES, UnusableSettings } from "../../adapters/settings.ts";

const KEY = "0123456789abcdef";

const defaults = {
  database: "data/analytics.db",
  host: "127.0.0.1",
  port: 20_000,
  keys: undefined,
  corsOrigins: [],
  rate: undefined,
  reportMs: 15_000,
  logLevel: "info",
};

test("without any variable the server is open on loopback, on port 20000, with a file", () => {
  expect(readSettings({})).toEqual(defaults);
});

test("variables of other programs are none of its business", () => {
  expect(readSettings({ PATH: "/bin", ANALYTICS_SOMETHING: "else" })).toEqual(defaults);
});

test.each<[Record<string, string>, object]>([
  [{ ANALYTICS_DATABASE: "/var/lib/events.db" }, { database: "/var/lib/events.db" }],
  [{ ANALYTICS_DATABASE: ":memory:" }, { database: ":memory:" }],
  [{ ANALYTICS_HOST: "localhost" }, { host: "localhost" }],
  [{ ANALYTICS_HOST: "::1" }, { host: "::1" }],
  [{ ANALYTICS_PORT: "8080" }, { port: 8080 }],
  [{ ANALYTICS_PORT: "0" }, { port: 0 }],
  [{ ANALYTICS_WRITE_KEYS: KEY }, { keys: { write: [KEY], read: [], admin: [] } }],
  [{ ANALYTICS_READ_KEYS: ` ${KEY} , ${KEY}2,` }, { keys: { write: [], read: [KEY, `${KEY}2`], admin: [] } }],
  [
    { ANALYTICS_HOST: "0.0.0.0", ANALYTICS_ADMIN_KEYS: KEY },
    { host: "0.0.0.0", keys: { write: [], read: [], admin: [KEY] } },
  ],
  [{ ANALYTICS_WRITE_KEYS: "", ANALYTICS_READ_KEYS: " , " }, { keys: undefined }],
  [
    { ANALYTICS_CORS_ORIGINS: "https://shop.example, http://localhost:3000" },
    { corsOrigins: ["https://shop.example", "http://localhost:3000"] },
  ],
  [{ ANALYTICS_CORS_ORIGINS: "*" }, { corsOrigins: ["*"] }],
  [{ ANALYTICS_RATE_LIMIT: "100" }, { rate: { perSecond: 100, burst: 200 } }],
  [{ ANALYTICS_RATE_LIMIT: "0.2" }, { rate: { perSecond: 0.2, burst: 1 } }],
  [{ ANALYTICS_RATE_LIMIT: "5", ANALYTICS_RATE_BURST: "7" }, { rate: { perSecond: 5, burst: 7 } }],
  [{ ANALYTICS_RATE_BURST: "7" }, { rate: undefined }],
  [{ ANALYTICS_RATE_LIMIT: "5", ANALYTICS_RATE_BURST: "" }, { rate: { perSecond: 5, burst: 10 } }],
  [{ ANALYTICS_REPORT_SECONDS: "2.5" }, { reportMs: 2_500 }],
  [{ ANALYTICS_LOG_LEVEL: "debug" }, { logLevel: "debug" }],
])("%j is read as %j", (variables, settings) => {
  expect(readSettings(variables)).toEqual({ ...defaults, ...settings });
});

test.each<[Record<string, string>, string]>([
  [{ ANALYTICS_DATABASE: "" }, "ANALYTICS_DATABASE"],
  [{ ANALYTICS_HOST: "" }, "ANALYTICS_HOST"],
  [{ ANALYTICS_PORT: "http" }, "ANALYTICS_PORT"],
  [{ ANALYTICS_PORT: "65536" }, "ANALYTICS_PORT"],
  [{ ANALYTICS_PORT: "-1" }, "ANALYTICS_PORT"],
  [{ ANALYTICS_PORT: "80.5" }, "ANALYTICS_PORT"],
  [{ ANALYTICS_PORT: "" }, "ANALYTICS_PORT"],
  [{ ANALYTICS_WRITE_KEYS: "short" }, "ANALYTICS_WRITE_KEYS: each key must have at least 16 characters"],
  [{ ANALYTICS_READ_KEYS: `${KEY},short` }, "ANALYTICS_READ_KEYS: each key must have at least 16 characters"],
  [{ ANALYTICS_ADMIN_KEYS: "short" }, "ANALYTICS_ADMIN_KEYS: each key must have at least 16 characters"],
  [{ ANALYTICS_CORS_ORIGINS: "shop.example" }, "ANALYTICS_CORS_ORIGINS: must be a comma list of origins"],
  [{ ANALYTICS_CORS_ORIGINS: "ftp://shop.example" }, "ANALYTICS_CORS_ORIGINS"],
  [{ ANALYTICS_RATE_LIMIT: "fast" }, "ANALYTICS_RATE_LIMIT"],
  [{ ANALYTICS_RATE_LIMIT: "-1" }, "ANALYTICS_RATE_LIMIT"],
  [{ ANALYTICS_RATE_BURST: "0" }, "ANALYTICS_RATE_BURST"],
  [{ ANALYTICS_REPORT_SECONDS: "0" }, "ANALYTICS_REPORT_SECONDS"],
  [{ ANALYTICS_REPORT_SECONDS: "601" }, "ANALYTICS_REPORT_SECONDS"],
  [{ ANALYTICS_LOG_LEVEL: "loud" }, "ANALYTICS_LOG_LEVEL"],
])("%j is refused by a message that says %s", (variables, message) => {
  expect(() => readSettings(variables)).toThrow(UnusableSettings);
  expect(() => readSettings(variables)).toThrow(message);
});

test("one message names all that is wrong, and shows no key", () => {
  const variables = {
    ANALYTICS_PORT: "http",
    ANALYTICS_LOG_LEVEL: "loud",
    ANALYTICS_ADMIN_KEYS: "too-short",
  };
  const read = () => readSettings(variables);
  expect(read).toThrow(/ANALYTICS_PORT.*ANALYTICS_ADMIN_KEYS.*ANALYTICS_LOG_LEVEL/s);
  expect(read).not.toThrow("too-short");
});

test.each(["0.0.0.0", "::", "192.168.1.7", "analytics.example", "127.0.0.1.example", "localhost.example"])(
  "without keys the server does not start on %s, and says what to set",
  (host) => {
    const read = () => readSettings({ ANALYTICS_HOST: host });
    expect(read).toThrow(UnusableSettings);
    expect(read).toThrow(/ANALYTICS_ADMIN_KEYS.*ANALYTICS_WRITE_KEYS.*ANALYTICS_READ_KEYS.*ANALYTICS_HOST/s);
  },
);

test("on Lambda it does not start without keys, nor with a file", () => {
  const onLambda = { AWS_LAMBDA_FUNCTION_NAME: "analytics" };
  expect(() => readSettings(onLambda)).toThrow(/On AWS Lambda .* no keys are set/);
  expect(() => readSettings({ ...onLambda, ANALYTICS_ADMIN_KEYS: KEY })).toThrow(
    "On AWS Lambda a file does not outlive its function: set ANALYTICS_DATABASE to postgres://…",
  );
  const database = "postgres://db.example/analytics";
  expect(readSettings({ ...onLambda, ANALYTICS_ADMIN_KEYS: KEY, ANALYTICS_DATABASE: database })).toEqual({
    ...defaults,
    database,
    keys: { write: [], read: [], admin: [KEY] },
  });
});

test("serverless-offline, which names a function too, is no Lambda", () => {
  expect(readSettings({ AWS_LAMBDA_FUNCTION_NAME: "analytics", IS_OFFLINE: "true" })).toEqual(defaults);
});

test.each([
  ["localhost", true],
  ["LOCALHOST", true],
  ["app.localhost", true],
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["127.0.0.1.nip.io", false],
  ["notlocalhost", false],
  ["", false],
])("that %s is this machine is %s", (host, local) => {
  expect(isLoopback(host)).toBe(local);
});

test.each(SETTING_NAMES)("%s stands in the README", (name) => {
  expect(readFileSync(new URL("../../README.md", import.meta.url), "utf8")).toContain(name);
});
