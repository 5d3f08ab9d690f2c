import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { colours, openEdge, type TestRequest, type TestWorld, usersOf, withColours } from "../../world.ts";

const EVENTS = "/apiv1/events";
const BATCH = "/apiv1/events/batch";
const TESTS = "/apiv1/ab-tests";
const ASSIGN = "/apiv1/ab-tests/1/assign";
const TRACK = "/apiv1/ab-tests/1/track";
const MEBIBYTE = 1024 * 1024;

const json = { "content-type": "application/json" };
const gzip = { ...json, "content-encoding": "gzip" };
const br = { ...json, "content-encoding": "br" };
const ndjson = { "content-type": "application/x-ndjson" };

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const events = (count: number) => Array.from({ length: count }, () => ({ event_type: "a" }));
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1]));

type Row = [name: string, request: TestRequest, status: number, code: string, paths: string[]];

/** A row of the table. The method is POST unless the path begins with another. */
function row(
  name: string,
  path: string,
  headers: Record<string, string>,
  body: unknown,
  status: number,
  code: string,
  ...paths: string[]
): Row {
  const [, method = "POST", where = path] = /^(GET|PATCH) (.*)$/.exec(path) ?? [];
  return [name, { method, path: where, headers, body }, status, code, paths];
}

const rows: Row[] = [
  row("no body at all", EVENTS, json, "", 400, "invalid", ""),
  row("a body of blanks", EVENTS, json, " \n ", 400, "invalid", ""),
  row("a body that is not JSON", EVENTS, json, "event_type=click", 400, "invalid", ""),
  row("truncated JSON", EVENTS, json, '{"event_type":"cl', 400, "invalid", ""),
  row("JSON with trailing characters", EVENTS, json, '{"event_type":"a"} x', 400, "invalid", ""),
  row(
    "a name with a change of writing direction",
    EVENTS,
    json,
    { event_type: "\u202eabc", user_id: "a\u2066" },
    400,
    "invalid",
    "event_type",
    "user_id",
  ),
  row("NaN", TRACK, json, '{"user_id":"ann","metric_name":"m","value":NaN}', 400, "invalid", ""),
  row(
    "a number too large for a double",
    TRACK,
    json,
    '{"user_id":"ann","metric_name":"m","value":1e999}',
    400,
    "invalid",
    "value",
  ),
  row(
    "a number too large for a double in properties",
    EVENTS,
    json,
    '{"event_type":"a","properties":{"n":[1,-1e999]}}',
    400,
    "invalid",
    "properties.n[1]",
  ),
  row(
    "bytes that are not UTF-8",
    EVENTS,
    json,
    Buffer.from('{"event_type":"\xff"}', "latin1"),
    400,
    "invalid",
    "",
  ),
  row("UTF-16", EVENTS, json, Buffer.from('{"event_type":"a"}', "utf16le"), 400, "invalid", ""),
  row("a list instead of an event", EVENTS, json, [], 400, "invalid", ""),
  row("null instead of an event", EVENTS, json, "null", 400, "invalid", ""),
  row(
    "wrong types in every field",
    EVENTS,
    json,
    { event_type: 1, user_id: true, session_id: {}, properties: [] },
    400,
    "invalid",
    "event_type",
    "user_id",
    "session_id",
    "properties",
  ),
  row("no event type", EVENTS, json, {}, 400, "invalid", "event_type"),
  row("an unknown and a missing field", EVENTS, json, { type: "a" }, 400, "invalid", "event_type", "type"),
  row("an empty event type", EVENTS, json, { event_type: "" }, 400, "invalid", "event_type"),
  row("an over-long event type", EVENTS, json, { event_type: "x".repeat(201) }, 400, "invalid", "event_type"),
  row("a control character", EVENTS, json, { event_type: "a\u0000b" }, 400, "invalid", "event_type"),
  row("a lone surrogate", EVENTS, json, '{"event_type":"\\ud800"}', 400, "invalid", "event_type"),
  row(
    "a lone surrogate in a message id",
    EVENTS,
    json,
    '{"event_type":"a","message_id":"\\udc00"}',
    400,
    "invalid",
    "message_id",
  ),
  row(
    "properties nested too deeply",
    EVENTS,
    json,
    `{"event_type":"a","properties":${deep(9)}}`,
    400,
    "invalid",
    "properties.a.a.a.a.a.a.a.a",
  ),
  row(
    "properties nested 5,000 levels deep",
    EVENTS,
    json,
    `{"event_type":"a","properties":${deep(5_000)}}`,
    400,
    "invalid",
    "",
  ),
  row(
    "a user_id that is a list nested 30,000 levels deep",
    EVENTS,
    json,
    `{"event_type":"a","user_id":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
    400,
    "invalid",
    "",
  ),
  row(
    "properties with too many keys",
    EVENTS,
    json,
    { event_type: "a", properties: keys(256) },
    400,
    "invalid",
    "properties",
  ),
  row(
    "a __proto__ field of an event",
    EVENTS,
    json,
    '{"event_type":"a","__proto__":{"user_id":"ann"}}',
    400,
    "invalid",
    "__proto__",
  ),
  row(
    "a __proto__ in properties",
    EVENTS,
    json,
    '{"event_type":"a","properties":{"__proto__":{"x":1}}}',
    400,
    "invalid",
    "properties.__proto__",
  ),
  row(
    "a __proto__ deep in properties",
    EVENTS,
    json,
    '{"event_type":"a","properties":{"a":[{"__proto__":1}]}}',
    400,
    "invalid",
    "properties.a[0].__proto__",
  ),
  row(
    "a __proto__ in an experiment",
    TESTS,
    json,
    '{"test_name":"t","variants":[{"variant_name":"a"},{"variant_name":"b"}],"__proto__":{}}',
    400,
    "invalid",
    "__proto__",
  ),
  row(
    "a __proto__ in a variant",
    TESTS,
    json,
    '{"test_name":"t","variants":[{"variant_name":"a","__proto__":{}},{"variant_name":"b"}]}',
    400,
    "invalid",
    "variants[0].__proto__",
  ),
  row(
    "an event of more than 64 KiB",
    EVENTS,
    json,
    { event_type: "a", properties: { a: "x".repeat(65_536) } },
    413,
    "too_large",
  ),
  row(
    "an event whose properties grow beyond 64 KiB in a batch",
    BATCH,
    json,
    [{ event_type: "a", properties: { a: "x".repeat(65_536) } }],
    400,
    "invalid",
    "[0].properties",
  ),
  row("a batch of more than 5 MiB", BATCH, json, " ".repeat(5 * MEBIBYTE + 1), 413, "too_large"),
  row("an experiment of more than 5 MiB", TESTS, json, " ".repeat(5 * MEBIBYTE + 1), 413, "too_large"),
  row("a batch of 2,001 events", BATCH, json, events(2_001), 413, "too_large"),
  row("a batch of 2,001 lines", BATCH, ndjson, '{"event_type":"a"}\n'.repeat(2_001), 413, "too_large"),
  row("an empty batch", BATCH, json, [], 400, "invalid", ""),
  row("NDJSON without a line", BATCH, ndjson, "\n\n", 400, "invalid", ""),
  row("NDJSON of broken lines", BATCH, ndjson, '{"event_type":\n\nnonsense\n', 400, "invalid", "[0]", "[1]"),
  row(
    "a batch without a valid event",
    BATCH,
    json,
    [{}, { event_type: "a", x: 1 }],
    400,
    "invalid",
    "[0].event_type",
    "[1].x",
  ),
  row(
    "a __proto__ in an event of a batch",
    BATCH,
    json,
    '[{"event_type":"a","__proto__":{}}]',
    400,
    "invalid",
    "[0].__proto__",
  ),
  row("NDJSON for a single event", EVENTS, ndjson, '{"event_type":"a"}', 415, "unsupported_media_type"),
  row(
    "a form",
    EVENTS,
    { "content-type": "application/x-www-form-urlencoded" },
    "event_type=a",
    415,
    "unsupported_media_type",
  ),
  row("XML", BATCH, { "content-type": "application/xml" }, "<a/>", 415, "unsupported_media_type"),
  row(
    "another charset",
    EVENTS,
    { "content-type": "application/json; charset=iso-8859-1" },
    '{"event_type":"a"}',
    415,
    "unsupported_media_type",
  ),
  row(
    "an unknown encoding",
    EVENTS,
    { ...json, "content-encoding": "deflate" },
    deflateSync('{"event_type":"a"}'),
    415,
    "unsupported_media_type",
  ),
  row(
    "two encodings",
    EVENTS,
    { ...json, "content-encoding": "gzip, gzip" },
    "",
    415,
    "unsupported_media_type",
  ),
  row("plain JSON labelled gzip", EVENTS, gzip, { event_type: "a" }, 400, "invalid", ""),
  row("plain JSON labelled br", EVENTS, br, { event_type: "a" }, 400, "invalid", ""),
  row("gzip labelled br", EVENTS, br, gzipSync('{"event_type":"a"}'), 400, "invalid", ""),
  row("br labelled gzip", EVENTS, gzip, brotliCompressSync('{"event_type":"a"}'), 400, "invalid", ""),
  row("gzip without Content-Encoding", EVENTS, json, gzipSync('{"event_type":"a"}'), 400, "invalid", ""),
  row("a truncated gzip", EVENTS, gzip, gzipSync('{"event_type":"a"}').subarray(0, -9), 400, "invalid", ""),
  row(
    "a truncated br",
    EVENTS,
    br,
    brotliCompressSync('{"event_type":"a"}').subarray(0, -3),
    400,
    "invalid",
    "",
  ),
  row(
    "a gzip with a wrong checksum",
    EVENTS,
    gzip,
    Buffer.concat([gzipSync('{"event_type":"a"}').subarray(0, -8), Buffer.alloc(8)]),
    400,
    "invalid",
    "",
  ),
  row("an empty gzip", EVENTS, gzip, "", 400, "invalid", ""),
  row("a gzip bomb", BATCH, gzip, gzipSync(Buffer.alloc(200 * MEBIBYTE)), 413, "too_large"),
  row("a br bomb", BATCH, br, brotliCompressSync(Buffer.alloc(20 * MEBIBYTE)), 413, "too_large"),
  row(
    "a gzip that unpacks to an oversized event",
    EVENTS,
    gzip,
    gzipSync(`{"event_type":"a","properties":{"a":"${" ".repeat(65_536)}"}}`),
    413,
    "too_large",
  ),
  row(
    "negative weights",
    TESTS,
    json,
    {
      ...colours,
      test_name: "t",
      variants: [
        { variant_name: "a", weight: -1 },
        { variant_name: "b", weight: 2 },
      ],
    },
    400,
    "invalid",
    "variants[0].weight",
  ),
  row(
    "weights that are all zero",
    TESTS,
    json,
    {
      ...colours,
      test_name: "t",
      variants: [
        { variant_name: "a", weight: 0 },
        { variant_name: "b", weight: 0 },
      ],
    },
    400,
    "invalid",
    "variants",
  ),
  row(
    "a weight too large for a double",
    TESTS,
    json,
    '{"test_name":"t","variants":[{"variant_name":"a","weight":1e999},{"variant_name":"b"}]}',
    400,
    "invalid",
    "variants[0].weight",
  ),
  row(
    "one variant",
    TESTS,
    json,
    { test_name: "t", variants: [{ variant_name: "a" }] },
    400,
    "invalid",
    "variants",
  ),
  row(
    "duplicate variant names",
    TESTS,
    json,
    { test_name: "t", variants: [{ variant_name: "a" }, { variant_name: "a" }] },
    400,
    "invalid",
    "variants[1].variant_name",
  ),
  row("a test_name that is taken", TESTS, json, colours, 409, "conflict", "test_name"),
  row("an assignment without a user", ASSIGN, json, {}, 400, "invalid", "user_id"),
  row("an assignment of a blank user", ASSIGN, json, { user_id: "  " }, 400, "invalid", "user_id"),
  row(
    "a value of an unassigned user",
    TRACK,
    json,
    { user_id: "bob", metric_name: "m" },
    409,
    "conflict",
    "user_id",
  ),
  row(
    "a batch of values of an unassigned user",
    `${TRACK}/batch`,
    json,
    [{ user_id: "bob", metric_name: "m" }],
    400,
    "invalid",
    "[0].user_id",
  ),
  row(
    "a value with wrong types in every field",
    TRACK,
    json,
    { user_id: 1, metric_name: null, value: "1", timestamp: "now", message_id: 5 },
    400,
    "invalid",
    "user_id",
    "metric_name",
    "value",
    "message_id",
    "timestamp",
  ),
  row(
    "an import of unknown variants",
    `${TESTS}/1/assignments`,
    json,
    [{ user_id: "bob", variant: "green" }],
    400,
    "invalid",
    "[0].variant",
  ),
  row(
    "an assignment in an unknown experiment",
    `${TESTS}/2/assign`,
    json,
    { user_id: "bob" },
    404,
    "not_found",
  ),
  row(
    "a value in an unknown experiment",
    `${TESTS}/2/track`,
    json,
    { user_id: "ann", metric_name: "m" },
    404,
    "not_found",
  ),
  row(
    "a batch of values in an unknown experiment",
    `${TESTS}/2/track/batch`,
    json,
    [{ user_id: "ann", metric_name: "m" }],
    404,
    "not_found",
  ),
  row(
    "an import into an unknown experiment",
    `${TESTS}/2/assignments`,
    json,
    [{ user_id: "ann", variant: "red" }],
    404,
    "not_found",
  ),
  row("an unknown experiment", `GET ${TESTS}/2`, {}, undefined, 404, "not_found"),
  row(
    "the results of an unknown experiment",
    `GET ${TESTS}/999999999999999/results`,
    {},
    undefined,
    404,
    "not_found",
  ),
  row("a test_id that is a word", `GET ${TESTS}/one`, {}, undefined, 400, "invalid", "test_id"),
  row("a test_id with a fraction", `GET ${TESTS}/1.5/results`, {}, undefined, 400, "invalid", "test_id"),
  row("a test_id of 0", `${TESTS}/0/assign`, json, { user_id: "bob" }, 400, "invalid", "test_id"),
  row(
    "a negative test_id",
    `${TESTS}/-1/track`,
    json,
    { user_id: "ann", metric_name: "m" },
    400,
    "invalid",
    "test_id",
  ),
  row(
    "a test_id of 20 digits",
    `GET ${TESTS}/11111111111111111111`,
    {},
    undefined,
    400,
    "invalid",
    "test_id",
  ),
  row(
    "a bad test_id and a bad body at once",
    `${TESTS}/x/assign`,
    json,
    {},
    400,
    "invalid",
    "test_id",
    "user_id",
  ),
  row("an unknown parameter", `GET ${TESTS}?stauts=running`, {}, undefined, 400, "invalid", "stauts"),
  row(
    "an unknown parameter of a write",
    `${EVENTS}?dry_run=1`,
    json,
    { event_type: "a" },
    400,
    "invalid",
    "dry_run",
  ),
  row("a parameter named __proto__", `GET ${TESTS}?__proto__=1`, {}, undefined, 400, "invalid", "__proto__"),
  row("a tampered cursor", `GET ${TESTS}?cursor=abc`, {}, undefined, 400, "invalid", "cursor"),
  row(
    "a __proto__ among the weights",
    "PATCH /apiv1/ab-tests/1",
    json,
    '{"weights":{"__proto__":1}}',
    400,
    "invalid",
    "weights.__proto__",
  ),
  row(
    "a __proto__ among the testers",
    "PATCH /apiv1/ab-tests/1",
    json,
    '{"forced":{"__proto__":"red"}}',
    400,
    "invalid",
    "forced.__proto__",
  ),
  row(
    "a __proto__ in the conditions of a metric",
    TESTS,
    json,
    '{"test_name":"t","variants":[{"variant_name":"a"},{"variant_name":"b"}],"metrics":[{"metric_name":"m","event_type":"e","where":{"__proto__":"x"}}]}',
    400,
    "invalid",
    "metrics[0].where.__proto__",
  ),
  row("an empty change", "PATCH /apiv1/ab-tests/1", json, {}, 400, "invalid", ""),
  row(
    "weights whose sum is infinite",
    "PATCH /apiv1/ab-tests/1",
    json,
    { weights: { red: 1e308, blue: 1e308 } },
    400,
    "invalid",
    "weights",
  ),
  row("a path with an invalid escape", `GET ${TESTS}/%E0%A4%A`, {}, undefined, 400, "invalid"),
];

/** Fails if anything was stored except for the example experiment and its user. Ids reveal stored events and values. */
async function expectUntouched({ storage }: TestWorld): Promise<void> {
  expect(await storage.listExperiments({ limit: 9 })).toHaveLength(1);
  const cells = await storage.experimentCells(1);
  expect([usersOf(cells), cells?.raw]).toEqual([1, []]);
  const probe = { user_id: "ann", created_at: 0, occurred_at: 0, message_key: null };
  const [event] = await storage.appendEvents([
    { ...probe, event_type: "a", session_id: null, properties: null },
  ]);
  const [metric] = await storage.appendMetrics(1, [{ ...probe, metric_name: "m", value: 1 }]);
  expect([event.id, metric]).toEqual([
    1,
    { kind: "stored", id: 1, variant_id: 1, duplicate: false, reason: "before_assignment" },
  ]);
}

test.each(rows)("%s is refused, and nothing is stored", async (_name, request, status, code, paths) => {
  const edge = openEdge();
  await withColours(edge.world, { users: { ann: "red" } });
  const answer = await edge.send(request);
  const { errors, ...problem } = answer.body as { errors: { path: string; message: string }[] };
  expect(problem).toEqual({
    type: "about:blank",
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code,
  });
  expect(errors.map(({ path }) => path)).toEqual(paths);
  for (const { message } of errors) expect(message).not.toBe("");
  expect([answer.status, answer.headers["content-type"]]).toEqual([status, "application/problem+json"]);
  await expectUntouched(edge.world);
});

test("a refusal is a problem document with all faults", async () => {
  const { status, headers, body } = await openEdge().send({
    method: "POST",
    path: EVENTS,
    body: { event_type: " ", propertys: {} },
  });
  expect(status).toBe(400);
  expect(headers).toEqual({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": "request-1",
  });
  expect(body).toStrictEqual({
    type: "about:blank",
    title: "The request has faults",
    status: 400,
    detail: "The request has 2 faults; nothing was stored. See errors.",
    code: "invalid",
    errors: [
      { path: "event_type", message: "must not be blank" },
      { path: "propertys", message: "is not a known field: correct its name or leave it out" },
    ],
  });
});

test.each<[string, TestRequest]>([
  ["in a URL", { path: "/apiv1/events?limit=none&page=2" }],
  ["in a body", { method: "POST", path: "/apiv1/events/funnel", body: { steps: [], page: 2 } }],
  ["found by the endpoint only", { path: "/apiv1/events/trend?from=2026-11-22&to=2026-11-21" }],
  ["of a public endpoint", { path: "/health?page=2" }],
])("the refusal of a read with a fault %s does not mention storing", async (_name, request) => {
  const { status, body } = await openEdge().send(request);
  const { detail } = body as { detail: string };
  expect(status).toBe(400);
  expect(detail).toMatch(/^The (?:request|query) has (?:one fault|2 faults)\. See errors\.$/);
});

test("a repeated parameter is refused for the repetition, whatever its type", async () => {
  const twice = ["user_id", "timezone", "from", "limit", "cursor", "where[plan]"];
  const query = twice.map((name) => `${name}=UTC&${name}=UTC`).join("&");
  const { body } = await openEdge().send({ path: `/apiv1/events?${query}` });
  const { errors } = body as { errors: object[] };
  expect(new Set(errors)).toEqual(
    new Set(
      ["user_id", "timezone", "from", "limit", "cursor", "where.plan"].map((path) => ({
        path,
        message: "must be given once",
      })),
    ),
  );
});

test("a body over the limit is refused with the limit", async () => {
  const { body } = await openEdge().send({ method: "POST", path: BATCH, body: " ".repeat(5 * MEBIBYTE + 1) });
  expect(body).toStrictEqual({
    type: "about:blank",
    title: "Too large",
    status: 413,
    detail: "The body is larger than the 5242880 bytes that are taken here: send less at a time.",
    code: "too_large",
    errors: [],
  });
});

const good = '{"event_type":"a"}';

test.each<[string, Record<string, string>, string | Uint8Array]>([
  ["JSON", json, good],
  ["JSON with a charset", { "content-type": 'Application/JSON; charset="utf-8"' }, good],
  ["JSON after a byte order mark", json, `\uFEFF${good}`],
  ["JSON without a content type", {}, good],
  ["a beacon's text/plain", { "content-type": "text/plain;charset=UTF-8" }, good],
  ["gzip", gzip, gzipSync(good)],
  ["gzip as x-gzip", { ...json, "content-encoding": "X-GZIP" }, gzipSync(good)],
  ["br", br, brotliCompressSync(good)],
  ["the encoding identity", { ...json, "content-encoding": "identity" }, good],
])("%s is accepted", async (_name, headers, body) => {
  const answer = await openEdge().send({ method: "POST", path: EVENTS, headers, body });
  expect([answer.status, answer.body]).toEqual([
    201,
    { success: true, id: 1, created_at: "2026-11-22T10:00:00.000Z" },
  ]);
});

test("a batch of exactly 5 MiB is accepted", async () => {
  const body = JSON.stringify(events(1)).padEnd(5 * MEBIBYTE);
  expect((await openEdge().send({ method: "POST", path: BATCH, body })).status).toBe(201);
});

test("NDJSON stores valid lines and refuses the others by line number, counting blank lines", async () => {
  const body = '{"event_type":"a"}\r\n\n{"event_type":\n{"event_type":"b","x":1}\n{"event_type":"c"}';
  const answer = await openEdge().send({ method: "POST", path: BATCH, headers: ndjson, body });
  expect(answer.status).toBe(207);
  expect(answer.body).toStrictEqual({
    success: true,
    accepted: 2,
    duplicates: 0,
    rejected: 2,
    results: [
      { success: true, id: 1 },
      { success: false, errors: [{ path: "", message: "line 3 is not JSON" }] },
      {
        success: false,
        errors: [{ path: "x", message: "is not a known field: correct its name or leave it out" }],
      },
      { success: true, id: 2 },
    ],
  });
});

test.each(["return=minimal", "respond-async, return=minimal", "Return=Minimal; foo=bar"])(
  "Prefer: %s limits the answer to refused events",
  async (prefer) => {
    const body = [{ event_type: "a" }, 7];
    const answer = await openEdge().send({ method: "POST", path: BATCH, headers: { prefer }, body });
    expect(answer.body).toMatchObject({ accepted: 1, rejected: 1, results: [{ success: false, index: 1 }] });
    expect((answer.body as { results: unknown[] }).results).toHaveLength(1);
  },
);

test("__proto__ in a body does not pollute other objects", async () => {
  const edge = openEdge();
  const body =
    '{"event_type":"a","properties":{"__proto__":{"polluted":true}},"__proto__":{"polluted":true}}';
  await edge.send({ method: "POST", path: EVENTS, body });
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
