import { expect, test } from "vitest";
import { endpoints } from "../../../handlers/contract/endpoints.ts";
import { coloursReply, openEdge, withColours } from "../../world.ts";

test.each([
  ["GET", "/apiv1"],
  ["GET", "/apiv1/nothing"],
  ["POST", "/apiv2/events"],
  ["GET", "/apiv1//ab-tests"],
  ["GET", "/APIV1/ab-tests"],
  ["POST", "/apiv1/ab-tests/1/assign/more"],
  ["BREW", "/coffee"],
  ["GET", "//"],
  ["GET", "/__proto__"],
])("%s %s is not found", async (method, path) => {
  const { status, headers, body } = await openEdge().send({ method, path });
  const asked = path.length > 2 && path.endsWith("/") ? path.slice(0, -1) : path;
  expect(status).toBe(404);
  expect(headers.allow).toBeUndefined();
  expect(body).toStrictEqual({
    type: "about:blank",
    title: "Not found",
    status: 404,
    detail: `There is nothing at ${asked}. GET /apiv1/openapi.json lists what there is.`,
    code: "not_found",
    errors: [],
  });
});

test.each([
  ["DELETE", "/apiv1/events/batch", "POST"],
  ["HEAD", "/apiv1/events/batch", "POST"],
  ["PUT", "/apiv1/ab-tests/1/assign", "POST"],
  ["POST", "/health", "GET"],
  ["TRACE", "/apiv1/openapi.json", "GET"],
  ["get", "/health", "GET"],
  ["POST", "/apiv1/ab-tests/1/results", "GET"],
])("%s is refused by %s, with the allowed methods", async (method, path, allow) => {
  const { status, headers, body } = await openEdge().send({ method, path });
  expect([status, headers.allow]).toEqual([405, allow]);
  expect(body).toStrictEqual(
    method === "HEAD"
      ? ""
      : {
          type: "about:blank",
          title: "Method not allowed",
          status: 405,
          detail: `${path} does not take ${method}: use ${allow}.`,
          code: "method_not_allowed",
          errors: [],
        },
  );
});

test("a refused method gets all methods of the path", async () => {
  const { status, headers } = await openEdge().send({ method: "PUT", path: "/apiv1/ab-tests" });
  expect(status).toBe(405);
  expect(headers.allow?.split(", ").sort()).toEqual(["GET", "POST"]);
});

test("every endpoint is found at its own path", async () => {
  for (const { method, path } of endpoints) {
    const { status, body } = await openEdge().send({ method, path: path.replace("{test_id}", "7") });
    const found =
      status !== 405 && (body as { detail?: string }).detail?.includes("There is nothing at") !== true;
    expect(found, `${method} ${path}`).toBe(true);
  }
});

test("a trailing slash and percent-encoded letters do not change the path", async () => {
  const edge = openEdge();
  await withColours(edge.world);
  for (const path of [
    "/apiv1/ab-tests/1",
    "/apiv1/ab-tests/1/",
    "/apiv1/ab-tests/%31",
    "/apiv1/%61b-tests/1",
  ]) {
    const { status, body } = await edge.send({ path });
    expect([path, status, body]).toEqual([path, 200, coloursReply()]);
  }
});

test("HEAD is answered like GET without the body", async () => {
  const edge = openEdge();
  const [head, get] = [
    await edge.send({ method: "HEAD", path: "/health" }),
    await edge.send({ path: "/health" }),
  ];
  expect(head).toEqual({ ...get, body: "" });
  expect(get).toEqual({
    status: 200,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": "request-1",
    },
    body: { status: "ok", storage: "ok", version: "1.2.3" },
  });
});

test("success statuses are those of the contract", async () => {
  const { send } = openEdge();
  const post = async (path: string, body: unknown) => (await send({ method: "POST", path, body })).status;
  const variants = [{ variant_name: "red" }, { variant_name: "blue", weight: 0 }];
  const event = { event_type: "a", message_id: "1" };
  const metric = { user_id: "ann", metric_name: "m", message_id: "1" };
  expect(await post("/apiv1/events", event)).toBe(201);
  expect(await post("/apiv1/events", event)).toBe(200);
  expect(await post("/apiv1/events/batch", [event])).toBe(201);
  expect(await post("/apiv1/events/batch", [event, {}])).toBe(207);
  expect(await post("/apiv1/ab-tests", { test_name: "colours", variants })).toBe(201);
  expect(await post("/apiv1/ab-tests/1/assign", { user_id: "ann" })).toBe(201);
  expect(await post("/apiv1/ab-tests/1/assign", { user_id: "ann" })).toBe(200);
  expect(await post("/apiv1/ab-tests/1/assignments", [{ user_id: "bob", variant: "blue" }])).toBe(201);
  expect(await post("/apiv1/ab-tests/1/assignments", [{ user_id: "bob", variant: "blue" }, {}])).toBe(207);
  expect(await post("/apiv1/ab-tests/1/track", metric)).toBe(201);
  expect(await post("/apiv1/ab-tests/1/track", metric)).toBe(200);
  expect(await post("/apiv1/ab-tests/1/track/batch", [metric])).toBe(201);
  expect(await post("/apiv1/ab-tests/1/track/batch", [metric, {}])).toBe(207);
  for (const path of [
    "/apiv1/ab-tests",
    "/apiv1/ab-tests/1",
    "/apiv1/ab-tests/1/results",
    "/apiv1/ab-tests/1/timeline",
    "/apiv1/ab-tests/1/assignment?user_id=cyd",
    "/health",
    "/apiv1/openapi.json",
  ]) {
    expect((await send({ path })).status, path).toBe(200);
  }
  const path = "/apiv1/ab-tests/1";
  expect((await send({ method: "PATCH", path, body: { traffic: 0.5 } })).status).toBe(200);
  expect(await send({ method: "DELETE", path })).toMatchObject({ status: 204, body: "" });
  expect((await send({ method: "DELETE", path })).status).toBe(404);
});

test("the health check of a failed storage has status 503 and the usual body", async () => {
  const { storage } = openEdge().world;
  const broken = openEdge({}, { storage: { ...storage, check: () => Promise.reject(new Error("no disk")) } });
  const { status, body } = await broken.send({ path: "/health" });
  expect([status, body]).toEqual([503, { status: "unavailable", storage: "unavailable", version: "1.2.3" }]);
});
