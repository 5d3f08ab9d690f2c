import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, ask, openConnection, parseAnswers, post, type Question } from "./client.ts";
import { offlineServer, openFolder, plainServer, type Starter, type TestServer } from "./servers.ts";

const STARTERS = [offlineServer, plainServer] as const;

/** The same server twice, served in both ways, each with a database of its own. */
interface Pair {
  urls(): string[];
  restart(): Promise<void>;
  close(): Promise<void>;
}

async function startPair(variables: Record<string, string> = {}): Promise<Pair> {
  const folders = await Promise.all(STARTERS.map(openFolder));
  const startOne = (starter: Starter, index: number): Promise<TestServer> =>
    starter.start(folders[index]?.folder ?? "", variables);
  let servers = await Promise.all(STARTERS.map(startOne));
  const stop = () => Promise.all(servers.map((server) => server.stop()));
  return {
    urls: () => servers.map(({ url }) => url),
    async restart() {
      await stop();
      servers = await Promise.all(STARTERS.map(startOne));
    },
    async close() {
      await stop();
      await Promise.all(folders.map(({ remove }) => remove()));
    },
  };
}

const JSON_REPLY = "application/json; charset=utf-8";
const PROBLEM_REPLY = "application/problem+json";
const TIME = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g;

// What tells one answer from the next of the same server; all other headers and every byte of the body are compared.
const OWN_OF_EACH_ANSWER = ["date", "x-request-id"];

function comparable({ status, headers, body }: Answer): Answer {
  const kept = Object.entries(headers).filter(([name]) => !OWN_OF_EACH_ANSWER.includes(name));
  return { status, headers: Object.fromEntries(kept), body: body.replace(TIME, '"<time>"') };
}

/**
 * What serverless-offline's HTTP framework says of its own, beside the same answer: that it could send ranges of a body,
 * and compress it, if it were asked; a type and a length for a body that there is none of; and how long it keeps an idle
 * connection, which cannot be set there. Each is overlooked only with the value that is declared here.
 */
function withoutFramework({ status, headers, body }: Answer): Answer {
  const { "accept-ranges": ranges, vary, "content-type": type, "content-length": length, ...others } = headers;
  if (others["keep-alive"] === "timeout=5") others["keep-alive"] = "timeout=65";
  const varies = vary?.split(",").filter((name) => name.trim() !== "accept-encoding") ?? [];
  const isEmpty = body === "";
  return {
    status,
    headers: {
      ...others,
      ...(ranges === undefined || ranges === "bytes" ? {} : { "accept-ranges": ranges }),
      ...(varies.length === 0 ? {} : { vary: varies.join(",") }),
      ...(type === undefined || (status === 204 && isEmpty && type === JSON_REPLY) ? {} : { "content-type": type }),
      ...(length === undefined || (isEmpty && length === "0") ? {} : { "content-length": length }),
    },
    body,
  };
}

/** Lets both answer, expects one answer, and returns it. */
async function sameAnswer(pair: Pair, act: (url: string) => Promise<Answer>): Promise<Answer> {
  const [offline, plain] = await Promise.all(pair.urls().map(act));
  if (offline === undefined || plain === undefined) throw new Error("there are two servers");
  expect(withoutFramework(comparable(offline))).toEqual(comparable(plain));
  return comparable(plain);
}

const askBoth = (pair: Pair, question: Question): Promise<Answer> =>
  sameAnswer(pair, (url) => ask(url, question));

const json = { "content-type": "application/json" };
const event = JSON.stringify({ event_type: "button_click" });
const accepted = { success: true, id: expect.any(Number), created_at: "<time>" };

const problem = (status: number, code: string, changes: object = {}) => ({
  type: "about:blank",
  title: expect.any(String),
  status,
  detail: expect.any(String),
  code,
  errors: expect.any(Array),
  ...changes,
});

/** A page's `fetch`, as the specification calls it. */
type Fetch = (url: string, init: { method: string; headers: Record<string, string>; body: string }) => void;

// Copied from the specification, unchanged to the letter.
const examples: Record<string, (fetch: Fetch) => void> = {
  "Tracking an Event"(fetch) {
    fetch("http://localhost:20000/apiv1/events", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
      },
      body: JSON.stringify({
        event_type: "button_click",
        user_id: "user123",
        session_id: "session456",
        properties: {
          button_name: "submit",
          page: "homepage",
        },
      }),
    });
  },
  "Creating an A/B Test"(fetch) {
    fetch("http://localhost:20000/apiv1/ab-tests", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
      },
      body: JSON.stringify({
        test_name: "homepage_button_color",
        description: "Testing different button colors on homepage",
        variants: [
          {
            variant_name: "red",
            description: "Red button",
            weight: 0.5,
          },
          {
            variant_name: "blue",
            description: "Blue button",
            weight: 0.5,
          },
        ],
      }),
    });
  },
};

const PAGE = "http://localhost:3000";

/** The request that an example makes from a page of another origin; only the port is ours. */
function questionOf(example: string): Question & { readonly headers: Record<string, string> } {
  const asked: (Question & { headers: Record<string, string> })[] = [];
  examples[example]?.((url, { method, headers, body }) => {
    asked.push({ method, path: new URL(url).pathname, headers: { ...headers, Origin: PAGE }, body });
  });
  const [question] = asked;
  if (question === undefined) throw new Error(`there is no example ${example}`);
  return question;
}

const colours = {
  test_name: "homepage_button_color",
  description: "Testing different button colors on homepage",
  status: "running",
  created_at: "<time>",
  control: "red",
  traffic: 1,
  confidence_level: 0.95,
  planned_users: null,
  stopped_at: null,
  winner: null,
  metrics: [],
  variants: [
    { id: 1, variant_name: "red", description: "Red button", weight: 0.5, is_control: true },
    { id: 2, variant_name: "blue", description: "Blue button", weight: 0.5, is_control: false },
  ],
};

let open: Pair;
let keyed: Pair;

const WRITE_KEY = "write-key-of-the-end-to-end-tests";
const READ_KEY = "read-key-of-the-end-to-end-tests";
const ADMIN_KEY = "admin-key-of-the-end-to-end-tests";

beforeAll(async () => {
  const quiet = { ANALYTICS_LOG_LEVEL: "error" };
  [open, keyed] = await Promise.all([
    startPair(quiet),
    startPair({
      ...quiet,
      ANALYTICS_WRITE_KEYS: WRITE_KEY,
      ANALYTICS_READ_KEYS: READ_KEY,
      ANALYTICS_ADMIN_KEYS: ADMIN_KEY,
    }),
  ]);
});

afterAll(() => Promise.all([open?.close(), keyed?.close()]));

describe("the specification's example", () => {
  test.each(Object.keys(examples))("“%s” is allowed by its preflight", async (example) => {
    const { method = "", path, headers } = questionOf(example);
    const answer = await askBoth(open, {
      method: "OPTIONS",
      path,
      headers: {
        Origin: PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
      },
    });
    expect(answer.status).toBe(204);
    expect(["*", PAGE]).toContain(answer.headers["access-control-allow-origin"]);
    expect(answer.headers["access-control-allow-methods"]).toContain("POST");
    expect(answer.headers["access-control-allow-headers"]).toContain("content-type");
    expect(headers).toEqual({ "Content-Type": "application/json", Origin: PAGE });
  });

  test("“Tracking an Event” is answered with 201, and its page may read the answer", async () => {
    const { status, headers, body } = await askBoth(open, questionOf("Tracking an Event"));
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 201, body: accepted });
    expect(headers).toMatchObject({ "content-type": JSON_REPLY, "access-control-allow-origin": "*" });
  });

  test("“Creating an A/B Test” is answered with 201, and the test is there after a restart", async () => {
    const created = await askBoth(open, questionOf("Creating an A/B Test"));
    expect(created.status).toBe(201);
    expect(JSON.parse(created.body)).toEqual({ success: true, test_id: 1, ...colours });
    expect(["*", PAGE]).toContain(created.headers["access-control-allow-origin"]);

    await open.restart();

    const shown = await askBoth(open, { path: "/apiv1/ab-tests" });
    expect(shown.status).toBe(200);
    expect(JSON.parse(shown.body)).toEqual({ tests: [{ id: 1, ...colours }], next_cursor: null });
  });
});

/** One request to both servers, and the one answer that is expected. */
interface Row extends Question {
  readonly name: string;
  readonly status: number;
  /** Parsed where the answer is JSON. */
  readonly reply: unknown;
  readonly replyHeaders?: Record<string, string>;
}

const POST_EVENT = { method: "POST", path: "/apiv1/events" };
const POST_BATCH = { method: "POST", path: "/apiv1/events/batch" };
const megabytes = (count: number): Buffer => Buffer.alloc(count * 1024 * 1024, 0x20);

const rows: Row[] = [
  { name: "an event", ...POST_EVENT, headers: json, body: event, status: 201, reply: accepted },
  {
    name: "a beacon, which is sent as text",
    ...POST_EVENT,
    headers: { "content-type": "text/plain;charset=UTF-8", origin: "https://shop.example" },
    body: event,
    status: 201,
    reply: accepted,
    replyHeaders: { "access-control-allow-origin": "*" },
  },
  { name: "an event without a type of content", ...POST_EVENT, body: event, status: 201, reply: accepted },
  {
    name: "an event in gzip",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "gzip" },
    body: gzipSync(event),
    status: 201,
    reply: accepted,
  },
  {
    name: "an event in br",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "br" },
    body: brotliCompressSync(event),
    status: 201,
    reply: accepted,
  },
  {
    name: "an event in letters of all kinds",
    ...POST_EVENT,
    headers: json,
    body: JSON.stringify({ event_type: "häß 🙂 漢" }),
    status: 201,
    reply: accepted,
  },
  {
    name: "a batch with one fault",
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
    name: "a batch in lines, one of them broken",
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
    name: "a path that is not there",
    path: "/apiv1/nothing",
    status: 404,
    reply: problem(404, "not_found"),
  },
  { name: "the path of no file", path: "/favicon.ico", status: 404, reply: problem(404, "not_found") },
  {
    name: "a path of the framework's own",
    method: "POST",
    path: "/2015-03-31/functions/x/invocations",
    status: 404,
    reply: problem(404, "not_found"),
  },
  {
    name: "a test that is not there",
    path: "/apiv1/ab-tests/999",
    status: 404,
    reply: problem(404, "not_found"),
  },
  {
    name: "a test whose id is no number",
    path: "/apiv1/ab-tests/one",
    status: 400,
    reply: problem(400, "invalid", { errors: [{ path: "test_id", message: expect.any(String) }] }),
  },
  {
    name: "a method that the path does not take",
    method: "PUT",
    path: "/apiv1/ab-tests/1",
    headers: json,
    body: "{}",
    status: 405,
    reply: problem(405, "method_not_allowed"),
    replyHeaders: { allow: "GET, PATCH, DELETE" },
  },
  {
    name: "a method that nobody has heard of",
    method: "PROPFIND",
    path: "/apiv1/events",
    status: 405,
    reply: problem(405, "method_not_allowed"),
  },
  {
    name: "a type of content that is not read",
    ...POST_EVENT,
    headers: { "content-type": "application/xml" },
    body: "<event/>",
    status: 415,
    reply: problem(415, "unsupported_media_type"),
  },
  {
    name: "an encoding that is not read",
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
    name: "what is not JSON",
    ...POST_EVENT,
    headers: json,
    body: "{",
    status: 400,
    reply: problem(400, "invalid"),
  },
  { name: "no body", ...POST_EVENT, headers: json, status: 400, reply: problem(400, "invalid") },
  {
    name: "a body that is not UTF-8",
    ...POST_EVENT,
    headers: json,
    body: Buffer.from([0x22, 0xff, 0x22]),
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "a broken gzip",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "gzip" },
    body: gzipSync(event).subarray(0, -9),
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "a gzip that is none",
    ...POST_EVENT,
    headers: { ...json, "content-encoding": "gzip" },
    body: event,
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "a gzip that unpacks to 100 MB",
    ...POST_BATCH,
    headers: { ...json, "content-encoding": "gzip" },
    body: gzipSync(megabytes(100)),
    status: 413,
    reply: problem(413, "too_large"),
  },
  {
    name: "a batch of 2,001",
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
    name: "a path with a broken escape",
    path: "/apiv1/ab-tests/%ZZ",
    status: 400,
    reply: problem(400, "invalid"),
  },
  {
    name: "an unknown parameter of the query",
    path: "/apiv1/ab-tests?colour=red",
    status: 400,
    reply: problem(400, "invalid", { errors: [{ path: "colour", message: expect.any(String) }] }),
  },
  {
    name: "OPTIONS from no page",
    method: "OPTIONS",
    path: "/apiv1/events",
    status: 204,
    reply: "",
    replyHeaders: { allow: "OPTIONS, POST" },
  },
  {
    name: "a page of a stranger that creates a test",
    method: "POST",
    path: "/apiv1/ab-tests",
    headers: { "content-type": "text/plain", origin: "https://stranger.example" },
    body: JSON.stringify({ test_name: "strange", variants: [{ variant_name: "a" }, { variant_name: "b" }] }),
    status: 403,
    reply: problem(403, "forbidden"),
  },
  {
    name: "a name of a stranger that points at this machine",
    path: "/apiv1/ab-tests",
    headers: { host: "stranger.example:20000" },
    status: 403,
    reply: problem(403, "forbidden"),
  },
  { name: "HEAD", method: "HEAD", path: "/health", status: 200, reply: "", replyHeaders: { "content-type": JSON_REPLY } },
  {
    name: "HEAD of what is not there",
    method: "HEAD",
    path: "/apiv1/nothing",
    status: 404,
    reply: "",
    replyHeaders: { "content-type": PROBLEM_REPLY },
  },
  {
    name: "a question for a part of an answer, which is given whole",
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

const parsed = (body: string): unknown =>
  body === "" ? "" : JSON.parse(body, (_key, value) => (value === "<time>" ? "<time>" : value));

describe("both servers give the same answer to", () => {
  test.each(rows)("$name ($status)", async ({ status, reply, replyHeaders = {}, ...question }) => {
    const answer = await askBoth(open, question);
    const type = answer.body === "" ? {} : { "content-type": status < 400 ? JSON_REPLY : PROBLEM_REPLY };
    expect({ status: answer.status, reply: parsed(answer.body) }).toEqual({ status, reply });
    expect(answer.headers).toMatchObject({
      ...type,
      ...replyHeaders,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  test("the question for their own description, also to whom could read it compressed", async () => {
    const headers = { "accept-encoding": "gzip" };
    const { status, body } = await askBoth(open, { path: "/apiv1/openapi.json", headers });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ openapi: "3.1.0" });
  });

  test("a whole experiment, from its creation to its results", async () => {
    const variants = [{ variant_name: "only", weight: 1 }, { variant_name: "never", weight: 0 }];
    const path = async (rest: string): Promise<string> => {
      const { body } = await askBoth(open, { path: "/apiv1/ab-tests?limit=1" });
      return `/apiv1/ab-tests/${JSON.parse(body).tests[0].id}${rest}`;
    };
    const send = (where: string, body: object): Promise<Answer> =>
      sameAnswer(open, (url) => post(url, where, body));

    expect((await send("/apiv1/ab-tests", { test_name: "whole", variants })).status).toBe(201);
    const user = { user_id: "user123" };
    const value = { ...user, metric_name: "purchase", value: 2.5, message_id: "purchase-1" };
    const statuses = [
      await send(await path("/assign"), user),
      await send(await path("/assign"), user),
      await send(await path("/track"), value),
      await send(await path("/track"), value),
      await send(await path("/track"), { ...value, user_id: "nobody", message_id: "purchase-2" }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([201, 200, 201, 200, 409]);

    const results = await askBoth(open, { path: await path("/results") });
    expect(JSON.parse(results.body).results[0]).toMatchObject({
      variant_name: "only",
      users: 1,
      metric_count: 1,
      average_value: 2.5,
    });
    const deleted = await askBoth(open, { method: "DELETE", path: await path("") });
    expect(deleted).toMatchObject({ status: 204, body: "" });
  });
});

/** Sends bytes to both servers on a connection each, and expects the same answers on it. */
async function sameConversation(speak: (url: string) => Promise<string>): Promise<Answer[]> {
  const [offline = [], plain = []] = (await Promise.all(open.urls().map(speak))).map((text) =>
    parseAnswers(text).map(comparable),
  );
  expect(offline.map(withoutFramework)).toEqual(plain);
  return plain;
}

async function sendAndRead(url: string, text: string): Promise<string> {
  const connection = await openConnection(url);
  connection.send(text);
  return connection.rest();
}

const head = (...lines: string[]): string =>
  ["POST /apiv1/events HTTP/1.1", "host: localhost", ...lines, "", ""].join("\r\n");

describe("both servers keep the connection in a defined state after", () => {
  test("a refused request, behind which another one waits already", async () => {
    const refused = head("content-type: application/xml", "content-length: 8") + "<event/>";
    const good = head("content-type: application/json", "connection: close", `content-length: ${event.length}`);
    const answers = await sameConversation((url) => sendAndRead(url, refused + good + event));
    expect(answers.map(({ status }) => status)).toEqual([415, 201]);
  });

  test("a body that stops halfway, of which nothing is stored", async () => {
    const count = async (url: string): Promise<number> =>
      JSON.parse((await post(url, "/apiv1/events", { event_type: "count" })).body).id;
    const half = head("content-type: application/json", "content-length: 1000") + event;
    const ids = await Promise.all(
      open.urls().map(async (url) => {
        const before = await count(url);
        const connection = await openConnection(url);
        connection.socket.end(half);
        await connection.rest();
        return (await count(url)) - before;
      }),
    );
    expect(ids).toEqual([1, 1]);
  });

  test("a request with 10,000 headers, which is refused and ends the connection", async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `x-header-${index}: value`);
    const [answer, ...more] = await sameConversation((url) => sendAndRead(url, head(...many)));
    expect(answer).toMatchObject({ status: 413, headers: { "content-type": PROBLEM_REPLY } });
    expect(JSON.parse(answer?.body ?? "")).toEqual(problem(413, "too_large"));
    expect(more).toEqual([]);
  });

  test("bytes that are no HTTP, which are refused and end the connection", async () => {
    const [answer, ...more] = await sameConversation((url) => sendAndRead(url, "good evening\r\n\r\n"));
    expect(answer).toMatchObject({ status: 400, headers: { "content-type": PROBLEM_REPLY } });
    expect(more).toEqual([]);
  });
});

describe("with keys, both servers give the same answer to", () => {
  const listing = { path: "/apiv1/ab-tests" };
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  const keyRows: (Question & { name: string; status: number })[] = [
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
      name: "a beacon with its key in the query",
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
    { name: "a listing with a write key", ...listing, headers: bearer(WRITE_KEY), status: 403 },
    { name: "a listing with a read key", ...listing, headers: bearer(READ_KEY), status: 200 },
    { name: "a listing with an admin key", ...listing, headers: bearer(ADMIN_KEY), status: 200 },
    { name: "a health check, which needs none", path: "/health", status: 200 },
    {
      name: "a listing with a key and another name of this machine",
      ...listing,
      headers: { ...bearer(READ_KEY), host: "analytics.example" },
      status: 200,
    },
  ];

  test.each(keyRows)("$name ($status)", async ({ status, ...question }) => {
    const answer = await askBoth(keyed, question);
    expect(answer.status).toBe(status);
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    expect(answer.body).not.toMatch(/-key-of-/);
  });
});
