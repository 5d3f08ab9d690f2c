import { validateHeaderName, validateHeaderValue } from "node:http";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { FAILURE_STATUS } from "../../../adapters/http/answers/statuses.ts";
import { endpoints } from "../../../handlers/contract/endpoints.ts";
import { anyJson } from "../../any-json.ts";
import { engine } from "../../engine.ts";
import { cases } from "../../random.ts";
import { openEdge, type TestEdge, type TestResponse, withColours } from "../../world.ts";

const Problem = z.strictObject({
  type: z.literal("about:blank"),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  code: z.enum(Object.keys(FAILURE_STATUS) as (keyof typeof FAILURE_STATUS)[]),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string().min(1) })),
});

const noise = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 30 }) },
  // Texts that are difficult to decode.
  fc.constantFrom("%", "%zz", "%E0%A4%A", "%00", "..", "//", "?", "[]", "{}", "\u0000", "\ud800"),
);
const routes = endpoints.map(({ method, path }) => ({ method, path }));

const aPath = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...routes).map(({ path }) => path.replace("{test_id}", "1")) },
  fc.tuple(fc.constantFrom(...routes), noise).map(([{ path }, text]) => path.replace("{test_id}", text)),
  fc.tuple(fc.constantFrom(...routes), noise).map(([{ path }, text]) => `${path}?${text}`),
  noise.map((text) => `/${text}`),
  noise,
);

const aMethod = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("GET", "POST") },
  fc.constantFrom("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", ""),
  noise,
);

const known = (values: string[]) =>
  fc.option(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, noise), { nil: undefined });

const someHeaders = fc.record({
  "content-type": known([
    "application/json",
    "text/plain",
    "application/x-ndjson",
    "application/json; charset=utf-8",
    ";;;",
  ]),
  "content-encoding": known(["gzip", "br", "identity", "x-gzip", "deflate"]),
  origin: known(["https://shop.example", "null", "http://localhost", "http://["]),
  host: known(["localhost", "localhost:20000", "[::1]", "evil.example"]),
  authorization: known(["Bearer 0123456789abcdef", "Bearer", "Basic x"]),
  prefer: known(["return=minimal"]),
  "access-control-request-method": known(["GET", "POST", "HEAD", "NONE"]),
});

const text = fc.oneof(noise, fc.constantFrom("ann", "red", "m", "", "x".repeat(201), "\ud800", "__proto__"));
const anyValue = fc.oneof(anyJson, text, fc.double(), fc.integer());
const field = (values: fc.Arbitrary<unknown>) =>
  fc.option(fc.oneof({ weight: 4, arbitrary: values }, anyValue), { nil: undefined });

const likeABody = fc.record({
  event_type: field(text),
  user_id: field(text),
  properties: field(fc.dictionary(text, anyValue)),
  message_id: field(text),
  timestamp: field(fc.oneof(fc.integer(), fc.constant("2026-11-22T10:00:00Z"))),
  metric_name: field(text),
  value: field(fc.double()),
  variant: field(text),
  test_name: field(text),
  variants: field(fc.array(fc.record({ variant_name: text, weight: field(fc.double()) }), { maxLength: 4 })),
});

// Unknown fields are refused, so some bodies have only the fields of one endpoint.
const pruned = fc
  .tuple(
    likeABody,
    fc.subarray([
      "event_type",
      "user_id",
      "metric_name",
      "value",
      "test_name",
      "variants",
      "message_id",
      "variant",
    ]),
  )
  .map(([body, names]) => Object.fromEntries(Object.entries(body).filter(([name]) => names.includes(name))));

const someBody: fc.Arbitrary<unknown> = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  noise,
  fc.json(),
  likeABody,
  pruned,
  fc.array(pruned, { maxLength: 5 }),
  fc.array(pruned, { maxLength: 5 }).map((items) => items.map((item) => JSON.stringify(item)).join("\n")),
  pruned.map((body) => gzipSync(JSON.stringify(body))),
  fc.constant(undefined),
);

const settings = fc.constantFrom(
  {},
  { corsOrigins: ["*"] },
  { keys: { write: ["0123456789abcdef"], read: [], admin: [] } },
  { rate: { perSecond: 1, burst: 2 } },
);

const present = (headers: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** Whether another product's format decides how a request is refused. */
function isForeign({ world }: TestEdge): boolean {
  const [name] = [...world.activity.requests.byEndpoint().keys()];
  return endpoints.some((endpoint) => endpoint.name === name && endpoint.foreign?.refusal !== undefined);
}

function expectWellFormed({ status, headers, body }: TestResponse, method: string, foreign: boolean): void {
  expect(status).toBeGreaterThanOrEqual(100);
  expect(status).toBeLessThanOrEqual(599);
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    // Headers must not repeat invalid text of the request, except for the origin, which is always valid in browsers.
    if (name !== "access-control-allow-origin") validateHeaderValue(name, value);
  }
  if (status < 400 || method === "HEAD") return;
  // Only the health check has an error answer that is not a problem document.
  if (status === 503 && headers["content-type"] !== "application/problem+json") return;
  if (foreign) {
    expect(headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(Object.values(FAILURE_STATUS)).toContain(status);
    expect(status).not.toBe(500);
    return;
  }
  const problem = Problem.parse(body);
  expect(headers["content-type"]).toBe("application/problem+json");
  expect(problem.status).toBe(status);
  expect(FAILURE_STATUS[problem.code]).toBe(status);
  expect(problem.code).not.toBe("internal");
}

// Each of hundreds of requests has its own server and database.
const PATIENCE_MS = cases(60_000);

test("every request is answered, and every refusal is a problem document with a known code", {
  timeout: PATIENCE_MS,
}, async () => {
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(
      settings,
      aMethod,
      aPath,
      someHeaders,
      someBody,
      async (some, method, path, headers, body) => {
        const storage = engine.open();
        const edge = openEdge(some, { storage });
        const request = { method, path, headers: present(headers), body };
        const answer = await edge.send(request);
        seen.add(answer.status);
        expectWellFormed(answer, method, isForeign(edge));
        expect(edge.logs.length).toBeLessThanOrEqual(1);
        // Hundreds of open databases are more connections than PostgreSQL accepts.
        await storage.close();
      },
    ),
    { numRuns: cases(400) },
  );
  // Makes sure that not all requests fail at the first check.
  expect([...seen].length).toBeGreaterThan(5);
});

test("the endpoints of an experiment answer every body", {
  timeout: PATIENCE_MS,
}, async () => {
  const edge = openEdge();
  await withColours(edge.world, { users: { ann: "red" } });
  const posts = endpoints
    .filter(({ method }) => method === "POST")
    .map(({ path, foreign }) => ({
      path: path.replace("{test_id}", "1"),
      foreign: foreign?.refusal !== undefined,
    }));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...posts), someBody, async ({ path, foreign }, body) => {
      expectWellFormed(await edge.send({ method: "POST", path, body }), "POST", foreign);
    }),
    { numRuns: cases(600) },
  );
  expect((await edge.send({ path: "/apiv1/ab-tests/1/results" })).status).toBe(200);
});
