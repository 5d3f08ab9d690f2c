import { expect, test } from "vitest";
import { openEdge, withColours } from "../../../world.ts";

const SHOP = "https://shop.example";
const KEY = "0123456789abcdef";
const keys = { write: [], read: [], admin: [KEY] };
const event = { event_type: "a" };

test("a page on this machine may send both example calls of the specification", async () => {
  const { send } = openEdge();
  for (const path of ["/apiv1/events", "/apiv1/ab-tests"]) {
    const headers = {
      origin: "http://localhost:3000",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    };
    const { status, headers: allowed } = await send({ method: "OPTIONS", path, headers });
    expect(status).toBe(204);
    expect(["*", "http://localhost:3000"]).toContain(allowed["access-control-allow-origin"]);
    expect(allowed["access-control-allow-methods"]?.split(", ")).toContain("POST");
    expect(allowed["access-control-allow-headers"]?.split(", ")).toContain("content-type");
  }
});

test("the preflight of a write is allowed from any origin", async () => {
  const headers = { origin: SHOP, "access-control-request-method": "POST" };
  expect(await openEdge().send({ method: "OPTIONS", path: "/apiv1/events", headers })).toEqual({
    status: 204,
    headers: {
      allow: "OPTIONS, POST, GET",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "etag, retry-after, x-next-cursor, x-request-id",
      "access-control-allow-methods": "POST, GET",
      "access-control-allow-headers":
        "authorization, content-encoding, content-type, if-none-match, mcp-method, mcp-name, mcp-protocol-version, prefer, x-api-key, x-retry-count, x-umami-cache",
      "access-control-max-age": "7200",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": "request-1",
    },
    body: "",
  });
});

test("a public page that is allowed may also reach a server in a private network", async () => {
  const headers = {
    origin: SHOP,
    "access-control-request-method": "POST",
    "access-control-request-private-network": "true",
  };
  const allowed = async (path: string) =>
    (await openEdge().send({ method: "OPTIONS", path, headers })).headers[
      "access-control-allow-private-network"
    ];
  expect(await allowed("/apiv1/events")).toBe("true");
  expect(await allowed("/apiv1/ab-tests")).toBeUndefined();
});

test("OPTIONS without an origin returns only the methods", async () => {
  const { status, headers, body } = await openEdge().send({ method: "OPTIONS", path: "/apiv1/ab-tests" });
  expect([status, body]).toEqual([204, ""]);
  expect(headers.allow?.split(", ").sort()).toEqual(["GET", "OPTIONS", "POST"]);
  expect(headers["access-control-allow-origin"]).toBeUndefined();
});

const ANY = "*";
const NONE = undefined;

test.each<[string, string[], typeof keys | undefined, string, string | undefined]>([
  ["a write endpoint, open", [], undefined, SHOP, ANY],
  ["a write endpoint, with keys", [], keys, SHOP, ANY],
  ["a write endpoint, from a page without an origin", [], undefined, "null", ANY],
])("%s may be used by pages of any origin", async (_name, corsOrigins, someKeys, origin, allowed) => {
  const { send } = openEdge({ corsOrigins, keys: someKeys });
  const headers = { origin, authorization: `Bearer ${KEY}` };
  const answer = await send({ method: "POST", path: "/apiv1/events", headers, body: event });
  expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([201, allowed]);
});

test.each<[string, string[], string, boolean]>([
  ["a page on this machine", [], "http://localhost:3000", true],
  ["a page on 127.0.0.1", [], "http://127.0.0.1", true],
  ["a page on [::1]", [], "http://[::1]:8080", true],
  ["a page on another host", [], SHOP, false],
  ["a page on a host name that begins with localhost", [], "http://localhost.evil.example", false],
  ["a page without an origin", [], "null", false],
  ["a page of an allowed origin", [SHOP], SHOP, true],
  ["a page of an allowed origin on another port", [SHOP], `${SHOP}:444`, false],
  ["a page of an allowed origin with another scheme", [SHOP], "http://shop.example", false],
  ["any page if all origins are allowed", ["*"], "https://elsewhere.example", true],
])(
  "%s may read and administer an open server only if the settings allow it",
  async (_name, corsOrigins, origin, allowed) => {
    const edge = openEdge({ corsOrigins });
    await withColours(edge.world);
    for (const [method, path] of [
      ["GET", "/apiv1/ab-tests"],
      ["POST", "/apiv1/ab-tests"],
    ] as const) {
      const body =
        method === "POST"
          ? { test_name: "t", variants: [{ variant_name: "a" }, { variant_name: "b" }] }
          : undefined;
      const { status, headers } = await edge.send({ method, path, headers: { origin }, body });
      expect(status).toBe(allowed ? (method === "POST" ? 201 : 200) : 403);
      expect(headers["access-control-allow-origin"]).toBe(allowed ? origin : NONE);
      expect(headers.vary).toBe("origin");
      const asked = await edge.send({
        method: "OPTIONS",
        path,
        headers: { origin, "access-control-request-method": method },
      });
      expect(asked.headers["access-control-allow-origin"]).toBe(allowed ? origin : NONE);
    }
    expect(await edge.world.storage.listExperiments({ limit: 9 })).toHaveLength(allowed ? 2 : 1);
  },
);

test("a foreign page is refused with the name of the setting", async () => {
  const { body } = await openEdge().send({ path: "/apiv1/ab-tests", headers: { origin: SHOP } });
  expect(body).toStrictEqual({
    type: "about:blank",
    title: "Not allowed",
    status: 403,
    detail: `Pages of ${SHOP} may not use this: add their origin to ANALYTICS_CORS_ORIGINS.`,
    code: "forbidden",
    errors: [],
  });
});

test.each<[string, Record<string, string>, string[], number]>([
  ["from another site", { "sec-fetch-site": "cross-site" }, [], 403],
  ["from another site if all origins are allowed", { "sec-fetch-site": "cross-site" }, ["*"], 200],
  ["from the server's own page", { "sec-fetch-site": "same-origin" }, [], 200],
  ["from another port of this machine", { "sec-fetch-site": "same-site" }, [], 200],
  ["typed by a person", { "sec-fetch-site": "none" }, [], 200],
  [
    "from a page on this machine under another name",
    { "sec-fetch-site": "cross-site", origin: "http://127.0.0.1:3000" },
    [],
    200,
  ],
])(
  "an image, script or link %s is allowed or refused by Sec-Fetch-Site on an open server",
  async (_name, headers, corsOrigins, status) => {
    const answer = await openEdge({ corsOrigins }).send({ path: "/apiv1/ab-tests", headers });
    expect(answer.status).toBe(status);
    if (status === 403) {
      expect(answer.body).toMatchObject({
        code: "forbidden",
        detail: "Pages of another site may not use this: add their origin to ANALYTICS_CORS_ORIGINS.",
      });
    }
  },
);

test("another site may link to the dashboard and send beacons", async () => {
  const headers = { "sec-fetch-site": "cross-site" };
  const { send } = openEdge();
  expect((await send({ path: "/icon.svg", headers })).status).toBe(200);
  expect((await send({ method: "POST", path: "/apiv1/events", headers, body: event })).status).toBe(201);
});

test("on a server with keys a foreign page needs a key, and cannot read the answer", async () => {
  const { send } = openEdge({ keys });
  const { status, headers } = await send({
    path: "/apiv1/ab-tests",
    headers: { origin: SHOP, authorization: `Bearer ${KEY}` },
  });
  expect(status).toBe(200);
  expect(headers["access-control-allow-origin"]).toBeUndefined();
  expect(
    (await send({ path: "/apiv1/ab-tests", headers: { origin: "http://localhost" } })).headers,
  ).not.toHaveProperty("access-control-allow-origin");
});

test("a page can read the refusal of its write, with Retry-After", async () => {
  const { send } = openEdge();
  const { status, headers } = await send({
    method: "POST",
    path: "/apiv1/events",
    headers: { origin: SHOP },
    body: {},
  });
  expect(status).toBe(400);
  expect(headers["access-control-allow-origin"]).toBe("*");
  expect(headers["access-control-expose-headers"]).toContain("retry-after");
});

test("pages of every origin may read health and the OpenAPI document", async () => {
  for (const path of ["/health", "/apiv1/openapi.json"]) {
    const { status, headers } = await openEdge().send({ path, headers: { origin: SHOP } });
    expect([status, headers["access-control-allow-origin"]]).toEqual([200, "*"]);
  }
});

test("a request without an origin gets no CORS headers", async () => {
  const { headers } = await openEdge().send({ method: "POST", path: "/apiv1/events", body: event });
  expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
});
