import { expect, test } from "vitest";
import { openEdge, type TestRequest } from "../../world.ts";

const WRITE = "write-key-0123456789";
const READ = "read-key-0123456789";
const ADMIN = "admin-key-0123456789";
const BOTH = "both-key-0123456789";
const keys = { write: [WRITE, BOTH], read: [READ, BOTH], admin: [ADMIN] };

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

test.each([
  [WRITE, { write: 201, read: 403, admin: 403, open: 200 }],
  [READ, { write: 403, read: 200, admin: 403, open: 200 }],
  [BOTH, { write: 201, read: 200, admin: 403, open: 200 }],
  [ADMIN, { write: 201, read: 200, admin: 201, open: 200 }],
  ["unknown-key-0123456789", { write: 401, read: 401, admin: 401, open: 200 }],
  [WRITE.slice(0, -1), { write: 401, read: 401, admin: 401, open: 200 }],
  [`${WRITE}0`, { write: 401, read: 401, admin: 401, open: 200 }],
  [WRITE.toUpperCase(), { write: 401, read: 401, admin: 401, open: 200 }],
])("the key %s opens what it is for", async (key, statuses) => {
  for (const [access, status] of Object.entries(statuses)) {
    const { send } = openEdge({ keys });
    expect((await send(asking(access, { authorization: `Bearer ${key}` }))).status, access).toBe(status);
    expect((await send(asking(access === "admin" ? "open" : access, {}, `?key=${key}`))).status, access).toBe(
      access === "admin" ? 200 : status,
    );
  }
});

test.each(["write", "read", "admin"])(
  "without a key %s access is refused in words that say what to send",
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

test("a key that is not enough is refused in words that say what it is for", async () => {
  const { body } = await openEdge({ keys }).send(asking("admin", { authorization: `Bearer ${BOTH}` }));
  expect(body).toMatchObject({
    code: "forbidden",
    detail: "This key has write and read access; admin is needed.",
  });
});

test.each(["bearer ", "BEARER ", "Bearer   "])("the scheme may be written %j", async (scheme) => {
  const { send } = openEdge({ keys });
  expect((await send(asking("write", { authorization: scheme + WRITE }))).status).toBe(201);
});

test.each([
  "Bearer",
  "Bearer ",
  "",
  `Basic ${btoa(`${WRITE}:`)}`,
  `Token ${WRITE}`,
  `Bearer ${WRITE}, Bearer ${READ}`,
])("the header %j is no known key", async (authorization) => {
  expect((await openEdge({ keys }).send(asking("write", { authorization }))).status).toBe(401);
});

test("a header counts before a parameter", async () => {
  const { send } = openEdge({ keys });
  expect((await send(asking("write", { authorization: "Bearer wrong" }, `?key=${WRITE}`))).status).toBe(401);
});

test("an empty key is no key", async () => {
  expect((await openEdge({ keys }).send(asking("write", {}, "?key="))).status).toBe(401);
});

test("who is refused at the door has stored nothing", async () => {
  const { send, world } = openEdge({ keys });
  for (const access of ["write", "admin"]) await send(asking(access, { authorization: "Bearer wrong" }));
  expect(await world.storage.listExperiments({ limit: 9 })).toEqual([]);
  const { body } = await send(asking("write", { authorization: `Bearer ${WRITE}` }));
  expect(body).toMatchObject({ id: 1 });
});

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
])("an open server asked as %s answers: %s", async (host, answers) => {
  for (const access of ["open", "read", "write", "admin"]) {
    const { status, body } = await openEdge().send(asking(access, { host }));
    if (answers) expect(status).toBeLessThan(300);
    else expect([status, (body as { code: string }).code]).toEqual([403, "forbidden"]);
  }
});

test("a server with keys may be asked by any name", async () => {
  const headers = { host: "analytics.example", authorization: `Bearer ${WRITE}` };
  expect((await openEdge({ keys }).send(asking("write", headers))).status).toBe(201);
});
