import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test, vi } from "vitest";
import { openEdge, type TestRequest, withColours } from "../../world.ts";

const MEBIBYTE = 1024 * 1024;
const BATCH = "/apiv1/events/batch";
const FUNNEL = "/apiv1/events/funnel";
const json = { "content-type": "application/json" };
const ndjson = { "content-type": "application/x-ndjson" };

const post = (path: string, headers: Record<string, string>, body: string): TestRequest => ({
  method: "POST",
  path,
  headers: { ...headers, "content-encoding": "gzip" },
  body: gzipSync(body),
});

const fields = (count: number, value = "0"): string =>
  Array.from({ length: count }, (_, n) => `"${n.toString(36)}":${value}`).join(",");

const listOf = (count: number, item: string): string => `[${Array(count).fill(item).join(",")}]`;

function countParses(): () => number {
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  return () => parse.mock.calls.length;
}

test.each<[string, TestRequest, number]>([
  ["millions of broken lines", post(BATCH, ndjson, "{\n".repeat(2.6 * MEBIBYTE)), 413],
  ["millions of valid lines", post(BATCH, ndjson, "0\n".repeat(2.6 * MEBIBYTE)), 413],
  ["millions of items", post(BATCH, json, listOf(2_600_000, "0")), 413],
  ["millions of empty objects", post(BATCH, json, listOf(1_700_000, "{}")), 413],
  ["half a million different keys", post(BATCH, json, `[{${fields(500_000)}}]`), 413],
  ["millions of nested lists", post(BATCH, json, "[".repeat(5 * MEBIBYTE)), 400],
  ["a million nested objects", post(BATCH, json, '{"":'.repeat(MEBIBYTE)), 400],
  ["a funnel with 100,000 steps", post(FUNNEL, json, `{"steps":${listOf(100_000, "{}")}}`), 413],
  ["an experiment with 100,000 variants", post("/apiv1/ab-tests", json, listOf(100_000, "{}")), 413],
])("a body of %s is refused before it is parsed", async (_name, request, status) => {
  const { send } = openEdge();
  const answer = await send({ path: "/health" }).then(() => {
    const parses = countParses();
    return send(request).then((given) => ({ given, parses: parses() }));
  });
  expect(answer.given.status).toBe(status);
  // The test itself parses the answer with one call.
  expect(answer.parses).toBe(1);
});

test("all lines of a body share its limit, and a line nested too deeply is refused alone", async () => {
  const { send } = openEdge();
  const wide = `{"event_type":"a","properties":{"list":${listOf(1_000, "0")}}}\n`;
  expect((await send(post(BATCH, ndjson, wide.repeat(45)))).status).toBe(201);
  expect((await send(post(BATCH, ndjson, wide.repeat(55)))).body).toMatchObject({
    code: "too_large",
    detail: "The body holds more than the 50000 values that are taken here: send less at a time.",
  });
  const deep = `{"event_type":"a","properties":${'{"a":'.repeat(20)}0${"}".repeat(21)}\n`;
  expect((await send(post(BATCH, ndjson, `{"event_type":"a"}\n${deep}`))).body).toMatchObject({
    accepted: 1,
    rejected: 1,
    results: [{ success: true }, { errors: [{ path: "", message: "line 2 is nested too deeply" }] }],
  });
});

test("a line that is not JSON creates no stack trace", async () => {
  const { parse } = JSON;
  const limits: number[] = [];
  const spy = vi.spyOn(JSON, "parse").mockImplementation((text, ...rest) => {
    if (text === "{") limits.push(Error.stackTraceLimit);
    return parse(text, ...rest);
  });
  onTestFinished(() => spy.mockRestore());
  await openEdge().send({ method: "POST", path: BATCH, headers: ndjson, body: "{\n{" });
  expect(limits).toEqual([0, 0]);
  expect(Error.stackTraceLimit).toBeGreaterThan(0);
});

const unknown = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`unknown${n}`, 0]));

test.each<[string, TestRequest, string, number]>([
  [
    "a batch",
    { method: "POST", path: BATCH, body: Array(150).fill({ event_type: "a", ...unknown(300) }) },
    "The batch has 45000 faults; nothing was stored. The first 100 are in errors.",
    44_900,
  ],
  [
    "an event",
    { method: "POST", path: "/apiv1/events", body: { event_type: "a", ...unknown(101) } },
    "The request has 101 faults; nothing was stored. The first 100 are in errors.",
    1,
  ],
  [
    "a query",
    { path: `/apiv1/events?${Array.from({ length: 2_000 }, (_, n) => `u${n}`).join("&")}` },
    "The request has 2000 faults. The first 100 are in errors.",
    1_900,
  ],
])("a refusal of %s lists the first hundred faults and the total", async (...[, request, detail, more]) => {
  const { status, body } = await openEdge().send(request);
  const { errors, ...problem } = body as { errors: unknown[] };
  expect(status).toBe(400);
  expect(errors).toHaveLength(100);
  expect(problem).toEqual({
    type: "about:blank",
    title: "The request has faults",
    status: 400,
    detail,
    code: "invalid",
    more_errors: more,
  });
});

test("a partly stored batch lists a hundred faults, then one summary per rejected item", async () => {
  const body = [{ event_type: "a" }, ...Array(3).fill({ event_type: "a", ...unknown(60) })];
  const answer = await openEdge().send({ method: "POST", path: BATCH, body });
  const { results } = answer.body as { results: { errors?: { path: string; message: string }[] }[] };
  expect(results.map(({ errors }) => errors?.length)).toEqual([undefined, 60, 41, 2]);
  expect(results[3]?.errors).toEqual([
    { path: "unknown0", message: "is not a known field: correct its name or leave it out" },
    { path: "", message: "has 59 more faults" },
  ]);
});

test.each<[string, TestRequest]>([
  ["a field name of 1 MB", { method: "POST", path: BATCH, body: [{ ["x".repeat(1_000_000)]: 0 }] }],
  [
    "a hundred faults under a name of 60 KB",
    {
      method: "POST",
      path: "/apiv1/events",
      body: `{"event_type":"a","properties":{"${"x".repeat(60_000)}":[${Array(200).fill("1e999")}]}}`,
    },
  ],
  [
    "a content type of 15 KB",
    { method: "POST", path: BATCH, headers: { "content-type": "x".repeat(15_000) } },
  ],
  [
    "a charset of 9 KB",
    { method: "POST", path: BATCH, headers: { "content-type": `;charset=${"x".repeat(9_000)}` } },
  ],
  [
    "an encoding of 15 KB",
    { method: "POST", path: BATCH, headers: { "content-encoding": "x".repeat(15_000) } },
  ],
  ["a path of 15 KB", { path: `/${"x".repeat(15_000)}` }],
  ["a parameter name of 15 KB", { path: `/apiv1/events?${"x".repeat(15_000)}=1` }],
  ["a time zone of 15 KB", { path: `/apiv1/events/trend?timezone=${"x".repeat(15_000)}` }],
  ["a cursor of 15 KB", { path: `/apiv1/events?cursor=${"x".repeat(15_000)}` }],
])("the refusal of %s is short", async (_name, request) => {
  const edge = openEdge();
  await withColours(edge.world);
  const { status, body } = await edge.send(request);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(JSON.stringify(body).length).toBeLessThan(40_000);
});
