import { describe, expect, test } from "vitest";
import { openEdge, type TestRequest, withColours } from "../../../world.ts";

const WRITE = "write-key-0123456789";
const READ = "read-key-0123456789";
const ADMIN = "admin-key-0123456789";
const keys = { write: [WRITE], read: [READ], admin: [ADMIN] };

const requests: Record<string, TestRequest> = {
  write: { method: "POST", path: "/apiv1/events", body: { event_type: "a" } },
  read: { path: "/apiv1/ab-tests" },
  admin: {
    method: "POST",
    path: "/apiv1/ab-tests",
    body: { test_name: "t", variants: [{ variant_name: "a" }, { variant_name: "b" }] },
  },
  open: { path: "/health" },
};

const asking = (access: string, headers: Record<string, string> = {}, query = ""): TestRequest => {
  const request = requests[access] ?? { path: "/" };
  return { ...request, path: request.path + query, headers };
};

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

test.each([
  [WRITE, { write: 201, read: 403, admin: 403, open: 200 }],
  [READ, { write: 403, read: 200, admin: 403, open: 200 }],
  [ADMIN, { write: 201, read: 200, admin: 201, open: 200 }],
  ["unknown-key-0123456789", { write: 401, read: 401, admin: 401, open: 200 }],
  [WRITE.slice(0, -1), { write: 401, read: 401, admin: 401, open: 200 }],
  [`${WRITE}0`, { write: 401, read: 401, admin: 401, open: 200 }],
  [WRITE.toUpperCase(), { write: 401, read: 401, admin: 401, open: 200 }],
])("the key %s has the access of its list in every header that carries keys", async (key, statuses) => {
  for (const [access, status] of Object.entries(statuses)) {
    const forms: Record<string, string>[] = [
      { authorization: `Bearer ${key}` },
      { authorization: basic(`${key}:`) },
      { authorization: basic(`${key}:any password`) },
      { authorization: basic(key) },
      { "x-api-key": key },
    ];
    for (const headers of forms) {
      const { send } = openEdge({ keys });
      expect((await send(asking(access, headers))).status, `${access} ${JSON.stringify(headers)}`).toBe(
        status,
      );
    }
  }
});

test.each([
  [WRITE, { write: 201, read: 403, admin: 403 }],
  [READ, { write: 403, read: 200, admin: 403 }],
  [ADMIN, { write: 403, read: 403, admin: 403 }],
  ["unknown-key-0123456789", { write: 401, read: 401, admin: 401 }],
])("the key %s in the query of a beacon gives the statuses %j", async (key, statuses) => {
  for (const [access, status] of Object.entries(statuses)) {
    // Creating an experiment accepts no query parameters, but the refusal is still about the key.
    expect((await openEdge({ keys }).send(asking(access, {}, `?key=${key}`))).status, access).toBe(status);
  }
});

test("an admin key in the query is refused with the reason, and has no effect", async () => {
  const { send, world } = openEdge({ keys });
  const { status, body } = await send(asking("admin", {}, `?key=${ADMIN}`));
  expect(status).toBe(403);
  expect(body).toStrictEqual({
    type: "about:blank",
    title: "Not allowed",
    status: 403,
    detail: "An admin key is not accepted in an address, which logs keep: send Authorization: Bearer <key>.",
    code: "forbidden",
    errors: [],
  });
  expect(await world.storage.listExperiments({ limit: 9 })).toEqual([]);
});

test.each(["write", "read", "admin"])(
  "without a key %s access is refused with the header to send",
  async (access) => {
    const { status, headers, body } = await openEdge({ keys }).send(asking(access));
    expect([status, headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    expect(body).toStrictEqual({
      type: "about:blank",
      title: "A key is needed",
      status: 401,
      detail: `Send a key with ${access} access: Authorization: Bearer <key>.`,
      code: "unauthorized",
      errors: [],
    });
  },
);

test("a key with other access is refused with the access that it has", async () => {
  const { body } = await openEdge({ keys }).send(asking("admin", { authorization: `Bearer ${WRITE}` }));
  expect(body).toMatchObject({
    code: "forbidden",
    detail: "This key has write access; admin access is needed.",
  });
});

test.each(["bearer ", "BEARER ", "Bearer   "])("the scheme %j is accepted", async (scheme) => {
  const { send } = openEdge({ keys });
  expect((await send(asking("write", { authorization: scheme + WRITE }))).status).toBe(201);
});

test.each([
  "Bearer",
  "Bearer ",
  "",
  "Basic",
  "Basic ???",
  basic(`:${WRITE}`),
  basic(`x${WRITE}:`),
  `Token ${WRITE}`,
  `Bearer ${WRITE}, Bearer ${READ}`,
])("Authorization: %s is refused as an unknown key", async (authorization) => {
  expect((await openEdge({ keys }).send(asking("write", { authorization }))).status).toBe(401);
});

test("X-API-Key takes precedence over Authorization, which may be for a proxy, and headers over the query", async () => {
  const { send } = openEdge({ keys });
  const proxy = basic("operator:password");
  expect((await send(asking("write", { "x-api-key": WRITE, authorization: proxy }))).status).toBe(201);
  expect((await send(asking("write", { authorization: "Bearer wrong" }, `?key=${WRITE}`))).status).toBe(401);
});

test("a key that was recognised before has the access of the place in which it is sent now", async () => {
  const { send } = openEdge({ keys });
  const statuses: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    statuses.push((await send(asking("admin", { authorization: `Bearer ${ADMIN}` }))).status);
    statuses.push((await send(asking("admin", {}, `?key=${ADMIN}`))).status);
    statuses.push((await send(asking("read", { authorization: `Bearer ${ADMIN.slice(0, -1)}` }))).status);
  }
  // The second experiment of the same name is a conflict.
  expect(statuses).toEqual([201, 403, 401, 409, 403, 401]);
});

test("an empty key counts as a missing key", async () => {
  const { body } = await openEdge({ keys }).send(asking("write", {}, "?key="));
  expect(body).toMatchObject({ code: "unauthorized", detail: expect.stringMatching(/^Send a key/) });
});

test("a request without access stores nothing", async () => {
  const { send, world } = openEdge({ keys });
  for (const access of ["write", "admin"]) await send(asking(access, { authorization: "Bearer wrong" }));
  expect(await world.storage.listExperiments({ limit: 9 })).toEqual([]);
  const { body } = await send(asking("write", { authorization: `Bearer ${WRITE}` }));
  expect(body).toMatchObject({ id: 1 });
});

test("a server with keys answers for any host name, address and proxy", async () => {
  const headers = {
    host: "analytics.example",
    "x-forwarded-for": "203.0.113.7",
    authorization: `Bearer ${WRITE}`,
  };
  const request = { ...asking("write", headers), address: "10.0.0.7" };
  expect((await openEdge({ keys }).send(request)).status).toBe(201);
});

describe("a server without keys", () => {
  const everyRequest: readonly TestRequest[] = [
    ...Object.values(requests),
    { path: "/" },
    { path: "/client.js" },
    { path: "/nowhere" },
    { method: "DELETE", path: "/apiv1/ab-tests/1" },
    { method: "OPTIONS", path: "/apiv1/events" },
  ];

  async function refusals(changes: Pick<TestRequest, "headers" | "address">): Promise<string[]> {
    const details: string[] = [];
    const edge = openEdge();
    await withColours(edge.world);
    for (const request of everyRequest) {
      const { status, body } = await edge.send({ ...request, ...changes });
      expect([request.path, status, (body as { code: string }).code]).toEqual([
        request.path,
        403,
        "forbidden",
      ]);
      expect(await edge.world.storage.listExperiments({ limit: 9 })).toHaveLength(1);
      details.push((body as { detail: string }).detail);
    }
    return details;
  }

  test.each([
    ["localhost:20000", true],
    ["LOCALHOST", true],
    ["127.0.0.1:20000", true],
    ["[::1]:20000", true],
    ["app.localhost:20000", true],
    ["analytics.example", false],
    ["localhost.evil.example:20000", false],
    ["127.0.0.1.evil.example", false],
    ["192.168.0.7:20000", false],
    ["", false],
  ])("with the host %s answers: %s", async (host, answers) => {
    for (const access of ["open", "read", "write", "admin"]) {
      const { status, body } = await openEdge().send(asking(access, { host }));
      if (answers) expect(status).toBeLessThan(300);
      else expect([status, (body as { code: string }).code]).toEqual([403, "forbidden"]);
    }
  });

  test.each([
    ["127.0.0.1", true],
    ["127.1.2.3", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["10.0.0.7", false],
    ["::ffff:10.0.0.7", false],
    ["fe80::1", false],
    ["", false],
  ])("answers a peer at %j: %s, whatever its Host header", async (address, answers) => {
    if (!answers) await refusals({ address, headers: { host: "localhost" } });
    else expect((await openEdge().send({ ...asking("read"), address })).status).toBe(200);
  });

  test.each([
    ["forwarded", "for=203.0.113.7"],
    ["x-forwarded-for", "203.0.113.7"],
    ["x-forwarded-for", "127.0.0.1"],
    ["x-forwarded-host", "analytics.example"],
    ["x-forwarded-proto", "https"],
    ["x-forwarded-prefix", "/a"],
    ["x-real-ip", "127.0.0.1"],
    ["via", "1.1 proxy"],
  ])("refuses requests through a proxy with the header %s: %s", async (name, value) => {
    const [detail] = await refusals({ headers: { host: "127.0.0.1:20000", [name]: value } });
    expect(detail).toBe(
      "Without keys this server answers only requests to localhost from the same machine, and this one came " +
        `through a proxy, which its header ${name} tells. ` +
        "Set ANALYTICS_ADMIN_KEYS, ANALYTICS_WRITE_KEYS and ANALYTICS_READ_KEYS.",
    );
  });
});
