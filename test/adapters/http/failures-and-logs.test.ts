import { expect, test } from "vitest";
import { Failure } from "../../../domain/failure.ts";
import { openEdge, openWorld, type TestRequest, withColours } from "../../world.ts";

const KEY = "0123456789abcdef";
const event = { method: "POST", path: "/apiv1/events", body: { event_type: "a" } };

function openBroken(error: unknown) {
  const { storage } = openWorld();
  return openEdge({}, { storage: { ...storage, appendEvents: () => Promise.reject(error) } });
}

test("a defect gives a 500 without details and one log line with the cause and request id", async () => {
  const error = new Error("disk /var/secret is on fire");
  const { send, logs } = openBroken(error);
  const answer = await send(event);
  expect(answer.status).toBe(500);
  expect(answer.body).toStrictEqual({
    type: "about:blank",
    title: "Internal error",
    status: 500,
    detail: "Something went wrong here. Tell the operator the request id request-1.",
    code: "internal",
    errors: [],
  });
  expect(JSON.stringify(answer)).not.toContain("secret");
  expect(logs).toEqual([
    {
      level: "error",
      message: "trackEvent",
      request_id: "request-1",
      method: "POST",
      path: "/apiv1/events",
      status: 500,
      duration_ms: expect.any(Number),
      error,
    },
  ]);
});

test.each([["a text"], [undefined], [null], [{ code: "invalid" }], [Object.create(null)]])(
  "a thrown %j gives a 500 without details",
  async (thrown) => {
    const { send, logs } = openBroken(thrown);
    const { status, body } = await send(event);
    expect([status, (body as { code: string }).code]).toEqual([500, "internal"]);
    expect(logs).toHaveLength(1);
  },
);

test("an unavailable storage gives 503 with Retry-After, and logs the cause without a stack", async () => {
  const cause = new Error("SQLITE_IOERR in /var/secret");
  const detail = "The storage cannot take this now; nothing was stored. Send it again.";
  const { send, logs } = openBroken(new Failure("unavailable", detail, { retryAfterSeconds: 1, cause }));
  const answer = await send(event);
  expect([answer.status, answer.headers["retry-after"]]).toEqual([503, expect.stringMatching(/^[1-5]$/)]);
  expect(answer.body).toStrictEqual({
    type: "about:blank",
    title: "Not available now",
    status: 503,
    detail,
    code: "unavailable",
    errors: [],
  });
  expect(JSON.stringify(answer)).not.toContain("secret");
  expect(logs).toMatchObject([{ level: "error", status: 503, code: "unavailable", reason: cause.message }]);
});

test("a failed health check logs the cause, and does not reveal it to the caller", async () => {
  const { storage } = openWorld();
  const cause = new Error("SQLITE_IOERR in /var/secret");
  const failure = new Failure("unavailable", "The storage cannot be read now.", { cause });
  const { send, logs } = openEdge({}, { storage: { ...storage, check: () => Promise.reject(failure) } });
  const answer = await send({ path: "/health" });
  expect([answer.status, answer.body]).toEqual([
    503,
    { status: "unavailable", storage: "unavailable", version: "1.2.3" },
  ]);
  expect(logs).toMatchObject([{ level: "error", status: 503, code: "unavailable", reason: cause.message }]);
});

test("clients that are refused together get different Retry-After times", async () => {
  const { send } = openBroken(new Failure("unavailable", "Too much.", { retryAfterSeconds: 1 }));
  const answers = await Promise.all(Array.from({ length: 200 }, () => send(event)));
  const times = new Set(answers.map(({ headers }) => headers["retry-after"]));
  expect([...times].sort()).toEqual(["1", "2", "3", "4", "5"]);
});

test("long paths and causes are truncated in the log", async () => {
  const cause = Object.assign(new Error("y".repeat(9_000)), { code: "SQLITE_FULL" });
  const { send, logs } = openBroken(new Failure("unavailable", "Not now.", { cause }));
  await send({ path: `/${"x".repeat(15_000)}` });
  await send(event);
  expect(logs).toMatchObject([
    { path: `/${"x".repeat(199)}…`, status: 404 },
    { reason: `SQLITE_FULL: ${"y".repeat(487)}…` },
  ]);
  expect(JSON.stringify(logs).length).toBeLessThan(1_500);
});

test("an overload logs one short warning", async () => {
  const { send, logs } = openBroken(new Failure("unavailable", "Too much.", { retryAfterSeconds: 1 }));
  await send(event);
  expect(logs).toStrictEqual([
    {
      level: "warn",
      message: "trackEvent",
      request_id: "request-1",
      method: "POST",
      path: "/apiv1/events",
      status: 503,
      duration_ms: expect.any(Number),
      code: "unavailable",
    },
  ]);
});

test("refusals log at most fifty lines per second, and the next line has the number of omitted lines", async () => {
  const { send, logs, world } = openEdge();
  for (let n = 0; n < 1_000; n += 1) await send({ path: "/nothing" });
  expect(logs).toHaveLength(50);
  world.advance(1_000);
  await send({ path: "/nothing" });
  await send({ path: "/nothing" });
  expect(logs).toHaveLength(52);
  expect(logs.slice(50)).toMatchObject([{ status: 404, not_logged: 950 }, { status: 404 }]);
  expect(logs[51]).not.toHaveProperty("not_logged");
});

test("many refusals do not suppress the log lines of failures and reads", async () => {
  const { send, logs } = openBroken(new Error("a defect"));
  for (let n = 0; n < 100; n += 1) await send({ path: "/nothing" });
  await send(event);
  await send({ path: "/apiv1/ab-tests" });
  expect(logs.slice(50)).toMatchObject([
    { level: "error", status: 500 },
    { level: "info", status: 200 },
  ]);
});

test("a failing log does not affect answers", async () => {
  const edge = openEdge();
  edge.logs.push = () => {
    throw new Error("no room for the log");
  };
  expect((await edge.send(event)).status).toBe(201);
});

test.each<[string, TestRequest, string, string]>([
  ["a successful write", event, "debug", "trackEvent"],
  ["a health check", { path: "/health" }, "debug", "checkHealth"],
  ["a preflight of a write", { ...event, method: "OPTIONS" }, "debug", "options"],
  ["a successful read", { path: "/apiv1/ab-tests" }, "info", "listExperiments"],
  ["a refused write", { ...event, body: {} }, "warn", "trackEvent"],
  ["an unknown path", { path: "/nothing" }, "warn", "no endpoint"],
])("%s logs one line", async (_name, request, level, message) => {
  const { send, logs } = openEdge();
  await send(request);
  expect(logs).toMatchObject([{ level, message }]);
});

/** An edge whose exports fail after the first page. */
function openBreaking(error: unknown, meanwhile: () => void = () => {}) {
  const { storage, now } = openWorld();
  const [event_type, properties, user_id, session_id] = ["view", null, null, null];
  const page = Array.from({ length: 100 }, (_, n) => {
    const times = { created_at: now(), occurred_at: 0, client_timestamp: null };
    return { id: 100 - n, event_type, user_id, session_id, properties, ...times };
  });
  const listEvents: typeof storage.listEvents = async ({ after }) => {
    if (after === undefined) return page;
    meanwhile();
    throw error;
  };
  return openEdge({}, { storage: { ...storage, listEvents } });
}

const exportLine = {
  level: "info",
  message: "exportEvents",
  request_id: "request-1",
  method: "GET",
  path: "/apiv1/events/export",
  status: 200,
  duration_ms: expect.any(Number),
};

test.each<[string, Error, object]>([
  ["a defect", new Error("out of pages"), { error: new Error("out of pages") }],
  ["the time cap", new Failure("unavailable", "This took too long."), { code: "unavailable" }],
])("an export interrupted by %s logs an error in a second line", async (_name, error, reason) => {
  const { send, logs } = openBreaking(error);
  await expect(send({ path: "/apiv1/events/export" })).rejects.toBe(error);
  expect(logs).toEqual([
    exportLine,
    { ...exportLine, level: "error", message: "exportEvents broke off", ...reason },
  ]);
});

test.each([new Failure("unavailable", "Nobody waited for this any more."), new Error("Premature close")])(
  "an export whose client disconnects logs no error: %s",
  async (error) => {
    const reader = new AbortController();
    const { send, logs } = openBreaking(error, () => reader.abort());
    await expect(send({ path: "/apiv1/events/export", gone: reader.signal })).rejects.toBe(error);
    const reason = error instanceof Failure ? { code: error.code } : {};
    expect(logs).toStrictEqual([exportLine, { ...exportLine, message: "exportEvents broke off", ...reason }]);
  },
);

test("HEAD of an export does not start it", async () => {
  const { send, logs } = openBreaking(new Error("never seen"));
  expect((await send({ method: "HEAD", path: "/apiv1/events/export" })).body).toBe("");
  expect(logs).toEqual([{ ...exportLine, method: "HEAD" }]);
});

test("a preflight logs at most one line", async () => {
  const { send, logs } = openEdge();
  await send({ method: "OPTIONS", path: "/apiv1/events" });
  expect(logs.length).toBeLessThanOrEqual(1);
});

test("creating an experiment is logged at the default level", async () => {
  const edge = openEdge();
  const variants = [{ variant_name: "a" }, { variant_name: "b" }];
  await edge.send({ method: "POST", path: "/apiv1/ab-tests", body: { test_name: "t", variants } });
  expect(edge.logs).toMatchObject([{ level: "info", message: "createExperiment", status: 201 }]);
});

test("log lines contain no key, query or body", async () => {
  const keys = { write: [KEY], read: [], admin: [] };
  const { send, logs, world } = openEdge({ keys });
  await withColours(world);
  await send({ ...event, path: `/apiv1/events?key=${KEY}`, body: { event_type: "private-1" } });
  await send({
    ...event,
    headers: { authorization: `Bearer ${KEY}` },
    body: { event_type: "private-2", x: 1 },
  });
  await send({ ...event, path: "/apiv1/events?key=private-3" });
  await send({ ...event, headers: { authorization: `Bearer ${KEY}` }, body: "private-4 is not JSON" });
  await send({ path: "/apiv1/ab-tests?cursor=private-5" });
  expect(logs).toHaveLength(5);
  expect(JSON.stringify(logs)).not.toMatch(/private|0123456789abcdef|key=|\?/);
});
