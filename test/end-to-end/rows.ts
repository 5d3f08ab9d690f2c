import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect } from "vitest";
import type { Question } from "./client.ts";

// Requests that both servers must answer in the same way.

export const JSON_REPLY = "application/json; charset=utf-8";
export const PROBLEM_REPLY = "application/problem+json";

const json = { "content-type": "application/json" };
export const event = JSON.stringify({ event_type: "button_click" });
export const accepted = { success: true, id: expect.any(Number), created_at: "<time>" };

export const problem = (status: number, code: string, changes: object = {}) => ({
  type: "about:blank",
  title: expect.any(String),
  status,
  detail: expect.any(String),
  code,
  errors: expect.any(Array),
  ...changes,
});

/** A request to both servers, and the answer that both must give. */
interface Row extends Question {
  readonly name: string;
  readonly status: number;
  /** The body, parsed if it is JSON. */
  readonly reply: unknown;
  /** The content type, if it is not JSON. */
  readonly type?: string;
  readonly replyHeaders?: Record<string, unknown>;
}

const POST_EVENT = { method: "POST", path: "/apiv1/events" };
const POST_BATCH = { method: "POST", path: "/apiv1/events/batch" };
const megabytes = (count: number): Buffer => Buffer.alloc(count * 1024 * 1024, 0x20);

export const rows: Row[] = [
  { name: "an event", ...POST_EVENT, headers: json, body: event, status: 201, reply: accepted },
  {
    name: "a beacon with the type text/plain",
    ...POST_EVENT,
    headers: { "content-type": "text/plain;charset=UTF-8", origin: "https://shop.example" },
    body: event,
    status: 201,
    reply: accepted,
    replyHeaders: { "access-control-allow-origin": "*" },
  },
  {
    name: "an event with a time in seconds",
    ...POST_EVENT,
    headers: json,
    body: '{"event_type":"a","timestamp":1795000000}',
    status: 400,
    reply: problem(400, "invalid", {
      errors: [{ path: "timestamp", message: expect.stringContaining("looks like seconds") }],
    }),
  },
  {
    name: "an event with a time as another language formats it",
    ...POST_EVENT,
    headers: json,
    body: '{"event_type":"a","timestamp":"20261122 100000,5+0530","message_id":null}',
    status: 201,
    reply: accepted,
  },
  {
    name: "an event with a clock a century ahead",
    ...POST_EVENT,
    headers: json,
    body: '{"event_type":"a","timestamp":"2126-11-22T10:00:00Z"}',
    status: 201,
    reply: { ...accepted, timestamp: "<time>" },
  },
  {
    name: "an event with an integer that JSON would round",
    ...POST_EVENT,
    headers: json,
    body: '{"event_type":"a","properties":{"order":9007199254740993}}',
    status: 400,
    reply: problem(400, "invalid", {
      errors: [{ path: "properties.order", message: expect.stringContaining("send it as text") }],
    }),
  },
  {
    name: "a list of events without a property",
    path: "/apiv1/events?event_type=nothing&where[plan][not_set]&where[price][gte]=10",
    status: 200,
    reply: expect.objectContaining({ events: [], next_cursor: null }),
  },
  { name: "an event without a content type", ...POST_EVENT, body: event, status: 201, reply: accepted },
  {
    name: "an event compressed with gzip",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "gzip" },
    body: gzipSync(event),
    status: 201,
    reply: accepted,
  },
  {
    name: "an event compressed with br",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "br" },
    body: brotliCompressSync(event),
    status: 201,
    reply: accepted,
  },
  {
    name: "an event with non-ASCII characters",
    ...POST_EVENT,
    headers: json,
    body: JSON.stringify({ event_type: "häß 🙂 漢" }),
    status: 201,
    reply: accepted,
  },
  {
    name: "a batch with one invalid event",
    ...POST_BATCH,
    headers: json,
    body: JSON.stringify([{ event_type: "a" }, { event_type: "" }]),
    status: 207,
    reply: {
      success: true,
      accepted: 1,
      duplicates: 0,
      rejected: 1,
      results: [
        { success: true, id: expect.any(Number) },
        { success: false, errors: [{ path: "event_type", message: expect.any(String) }] },
      ],
    },
  },
  {
    name: "a batch of lines with one broken line",
    ...POST_BATCH,
    headers: { "content-type": "application/x-ndjson", prefer: "return=minimal" },
    body: `${event}\n{"event_type":\n${event}\n`,
    status: 207,
    reply: {
      success: true,
      accepted: 2,
      duplicates: 0,
      rejected: 1,
      results: [{ success: false, index: 1, errors: [{ path: "", message: "line 2 is not JSON" }] }],
    },
  },
  {
    name: "an unknown path",
    path: "/apiv1/nothing",
    status: 404,
    reply: problem(404, "not_found"),
  },
  {
    name: "the dashboard with its content security policy",
    path: "/",
    status: 200,
    type: "text/html; charset=utf-8",
    reply: expect.stringContaining('<script type="module" src="/dashboard.js">'),
    replyHeaders: {
      "cache-control": "no-cache",
      "content-security-policy": expect.stringMatching(/^default-src 'none'; script-src 'self'; /),
    },
  },
  {
    name: "the dashboard's script, compressed",
    path: "/dashboard.js",
    headers: { "accept-encoding": "gzip, br" },
    status: 200,
    type: "text/javascript; charset=utf-8",
    reply: expect.any(String),
    replyHeaders: { "cache-control": "no-cache", "content-encoding": "gzip" },
  },
  {
    name: "an export as CSV",
    path: "/apiv1/events/export?event_type=nothing&format=csv&limit=5",
    status: 200,
    type: "text/csv; charset=utf-8",
    reply:
      "\uFEFFid,timestamp,client_timestamp,created_at,event_type,user_id,session_id,other_properties\r\n",
    replyHeaders: { "content-disposition": 'attachment; filename="events.csv"' },
  },
  {
    name: "a trend filtered by a property",
    path: "/apiv1/events/trend?event_type=nothing&where[plan]=pro&from=2026-11-01&to=2026-11-02",
    status: 200,
    reply: expect.objectContaining({ series: [{ event_type: "nothing", total: 0, values: [0, 0] }] }),
  },
  {
    name: "the path of an unknown file",
    path: "/favicon.ico",
    status: 404,
    reply: problem(404, "not_found"),
  },
  {
    name: "a built-in path of serverless-offline",
    method: "POST",
    path: "/2015-03-31/functions/x/invocations",
    status: 404,
    reply: problem(404, "not_found"),
  },
  {
    name: "an unknown experiment",
    path: "/apiv1/ab-tests/999",
    status: 404,
    reply: problem(404, "not_found"),
  },
  {
    name: "a test_id that is not a number",
    path: "/apiv1/ab-tests/one",
    status: 400,
    reply: problem(400, "invalid", { errors: [{ path: "test_id", message: expect.any(String) }] }),
  },
  {
    name: "a method that the path does not accept",
    method: "PUT",
    path: "/apiv1/ab-tests/1",
    headers: json,
    body: "{}",
    status: 405,
    reply: problem(405, "method_not_allowed"),
    replyHeaders: { allow: "GET, PATCH, DELETE" },
  },
  {
    name: "an unknown method",
    method: "PROPFIND",
    path: "/apiv1/events",
    status: 405,
    reply: problem(405, "method_not_allowed"),
  },
  {
    name: "an unsupported content type",
    ...POST_EVENT,
    headers: { "content-type": "application/xml" },
    body: "<event/>",
    status: 415,
    reply: problem(415, "unsupported_media_type"),
  },
  {
    name: "an unsupported content encoding",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "zstd" },
    body: event,
    status: 415,
    reply: problem(415, "unsupported_media_type"),
  },
  {
    name: "an event with every kind of fault",
    ...POST_EVENT,
    headers: json,
    body: JSON.stringify({ event_typ: "a", user_id: 1 }),
    status: 400,
    reply: problem(400, "invalid", {
      errors: expect.arrayContaining(
        ["event_type", "user_id", "event_typ"].map((path) => ({ path, message: expect.any(String) })),
      ),
    }),
  },
  {
    name: "a body that is not JSON",
    ...POST_EVENT,
    headers: json,
    body: "{",
    status: 400,
    reply: problem(400, "invalid"),
  },
  { name: "an empty body", ...POST_EVENT, headers: json, status: 400, reply: problem(400, "invalid") },
  {
    name: "a body that is not UTF-8",
    ...POST_EVENT,
    headers: json,
    body: Buffer.from([0x22, 0xff, 0x22]),
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "a truncated gzip",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "gzip" },
    body: gzipSync(event).subarray(0, -9),
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "a body labelled gzip that is not",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "gzip" },
    body: event,
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "a gzip bomb of 100 MB",
    ...POST_BATCH,
    headers: { ...json, "content-encoding": "gzip" },
    body: gzipSync(megabytes(100)),
    status: 413,
    reply: problem(413, "too_large"),
  },
  {
    name: "a batch of 2,001 events",
    ...POST_BATCH,
    headers: json,
    body: `[${Array(2_001).fill(event).join(",")}]`,
    status: 413,
    reply: problem(413, "too_large"),
  },
  {
    name: "a body of 6 MB",
    ...POST_BATCH,
    headers: json,
    body: megabytes(6),
    status: 413,
    reply: problem(413, "too_large"),
  },
  {
    name: "a body of 11 MB",
    ...POST_BATCH,
    headers: json,
    body: megabytes(11),
    status: 413,
    reply: problem(413, "too_large"),
  },
  {
    name: "a path with an invalid escape",
    path: "/apiv1/ab-tests/%ZZ",
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "an unknown query parameter",
    path: "/apiv1/ab-tests?colour=red",
    status: 400,
    reply: problem(400, "invalid", { errors: [{ path: "colour", message: expect.any(String) }] }),
  },
  {
    name: "OPTIONS without an origin",
    method: "OPTIONS",
    path: "/apiv1/events",
    status: 204,
    reply: "",
    replyHeaders: { allow: "OPTIONS, POST, GET" },
  },
  {
    name: "the creation of an experiment from a foreign page",
    method: "POST",
    path: "/apiv1/ab-tests",
    headers: { "content-type": "text/plain", origin: "https://stranger.example" },
    body: JSON.stringify({ test_name: "strange", variants: [{ variant_name: "a" }, { variant_name: "b" }] }),
    status: 403,
    reply: problem(403, "forbidden"),
  },
  {
    name: "a foreign host name that resolves to this machine",
    path: "/apiv1/ab-tests",
    headers: { host: "stranger.example:20000" },
    status: 403,
    reply: problem(403, "forbidden"),
  },
  ...["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via"].map((header) => ({
    name: `a request through a proxy with the header ${header}`,
    path: "/health",
    headers: { [header]: "127.0.0.1" },
    status: 403,
    reply: problem(403, "forbidden"),
  })),
  {
    name: "an image request from another site",
    path: "/apiv1/ab-tests",
    headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    status: 403,
    reply: problem(403, "forbidden"),
  },
  {
    name: "a target in absolute form for this host",
    path: "http://localhost:20000/apiv1/ab-tests?status=draft",
    headers: { host: "stranger.example" },
    status: 200,
    reply: { tests: [], next_cursor: null },
  },
  {
    name: "a target in absolute form for another host",
    path: "http://stranger.example/apiv1/ab-tests",
    headers: { host: "localhost" },
    status: 403,
    reply: problem(403, "forbidden"),
  },
  {
    name: "HEAD",
    method: "HEAD",
    path: "/health",
    status: 200,
    reply: "",
    replyHeaders: { "content-type": JSON_REPLY },
  },
  {
    name: "HEAD of an unknown path",
    method: "HEAD",
    path: "/apiv1/nothing",
    status: 404,
    reply: "",
    replyHeaders: { "content-type": PROBLEM_REPLY },
  },
  {
    name: "a range request, answered in full",
    path: "/health",
    headers: { range: "bytes=0-3" },
    status: 200,
    reply: { status: "ok", storage: "ok", version: expect.any(String) },
  },
  {
    name: "a health check",
    path: "/health",
    status: 200,
    reply: { status: "ok", storage: "ok", version: expect.any(String) },
  },
];

export const WRITE_KEY = "write-key-of-the-end-to-end-tests";
export const READ_KEY = "read-key-of-the-end-to-end-tests";
export const ADMIN_KEY = "admin-key-of-the-end-to-end-tests";

const listing = { path: "/apiv1/ab-tests" };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** Requests to servers with the keys above. */
export const keyRows: (Question & { name: string; status: number })[] = [
  { name: "an event without a key", ...POST_EVENT, headers: json, body: event, status: 401 },
  {
    name: "an event with a wrong key",
    ...POST_EVENT,
    headers: { ...json, ...bearer("wrong-key-of-some-length") },
    body: event,
    status: 401,
  },
  {
    name: "an event with a read key",
    ...POST_EVENT,
    headers: { ...json, ...bearer(READ_KEY) },
    body: event,
    status: 403,
  },
  {
    name: "an event with a write key",
    ...POST_EVENT,
    headers: { ...json, ...bearer(WRITE_KEY) },
    body: event,
    status: 201,
  },
  {
    name: "a beacon with a key in the query",
    method: "POST",
    path: `/apiv1/events?key=${WRITE_KEY}`,
    headers: { "content-type": "text/plain", origin: "https://shop.example" },
    body: event,
    status: 201,
  },
  {
    name: "a beacon with a wrong key in the query",
    method: "POST",
    path: "/apiv1/events?key=wrong-key-of-some-length",
    headers: { "content-type": "text/plain" },
    body: event,
    status: 401,
  },
  {
    name: "an event with a write key as Basic user name",
    ...POST_EVENT,
    headers: { ...json, authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString("base64")}` },
    body: event,
    status: 201,
  },
  {
    name: "an event with a write key as X-API-Key",
    ...POST_EVENT,
    headers: { ...json, "x-api-key": WRITE_KEY },
    body: event,
    status: 201,
  },
  {
    name: "a list with an admin key in the query",
    path: `/apiv1/ab-tests?key=${ADMIN_KEY}`,
    status: 403,
  },
  {
    name: "a list through a proxy",
    ...listing,
    headers: { ...bearer(READ_KEY), "x-forwarded-for": "203.0.113.7", via: "1.1 proxy" },
    status: 200,
  },
  { name: "a list with a write key", ...listing, headers: bearer(WRITE_KEY), status: 403 },
  { name: "a list with a read key", ...listing, headers: bearer(READ_KEY), status: 200 },
  { name: "a list with an admin key", ...listing, headers: bearer(ADMIN_KEY), status: 200 },
  { name: "a health check without a key", path: "/health", status: 200 },
  {
    name: "a list with a key under another host name",
    ...listing,
    headers: { ...bearer(READ_KEY), host: "analytics.example" },
    status: 200,
  },
];
