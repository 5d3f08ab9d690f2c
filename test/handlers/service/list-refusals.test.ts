import { expect, test } from "vitest";
import { MINUTE, openEdge } from "../../world.ts";

const READ = "read-key-0123456789";
const WRITE = "write-key-0123456789";
const KEYED = { keys: { read: [READ], write: [WRITE], admin: [] } };

test("refusals are listed with what was wrong, the latest first, and repeated ones once with their count", async () => {
  const { send, world } = openEdge();
  const post = (body: unknown) => send({ method: "POST", path: "/apiv1/events", body });
  await post({ event_type: "click", userid: "ann" });
  world.advance(MINUTE);
  await send({
    method: "POST",
    path: "/apiv1/events/batch",
    body: [{ event_type: "click" }, { event_type: 7 }],
  });
  await post({ event_type: "click", userid: "bob" });
  expect((await send({ path: "/apiv1/refusals" })).body).toEqual({
    refusals: [
      {
        endpoint: "trackEvent",
        what: "request",
        code: "invalid",
        detail: "The request has faults.",
        errors: [{ path: "userid", message: "is not a known field: correct its name or leave it out" }],
        count: 2,
        first_at: "2026-11-22T10:00:00.000Z",
        last_at: "2026-11-22T10:01:00.000Z",
      },
      {
        endpoint: "trackEvents",
        what: "item",
        code: "invalid",
        detail: "The item has faults and was not stored; the others of its request were.",
        errors: [{ path: "event_type", message: "must be a string" }],
        count: 1,
        first_at: "2026-11-22T10:01:00.000Z",
        last_at: "2026-11-22T10:01:00.000Z",
      },
    ],
  });
});

test("the list holds the last hundred kinds, with bounded texts", async () => {
  const { send } = openEdge();
  for (let index = 0; index < 150; index += 1) {
    const field = `${index} ${"x".repeat(1_000)}`;
    await send({ method: "POST", path: "/apiv1/events", body: { event_type: "click", [field]: 1 } });
  }
  const { body } = await send({ path: "/apiv1/refusals" });
  const { refusals } = body as { refusals: { errors: { path: string }[] }[] };
  expect(refusals).toHaveLength(100);
  expect(refusals[0]?.errors[0]?.path).toMatch(/^\["149 x+…$/);
  expect(JSON.stringify(refusals).length).toBeLessThan(100_000);
});

test("the list shows neither keys nor what a broken body held", async () => {
  const { send } = openEdge(KEYED);
  const headers = { authorization: `Bearer ${WRITE}` };
  await send({ method: "POST", path: `/v9/projects/${WRITE}/settings?key=${WRITE}`, headers });
  await send({ method: "POST", path: "/apiv1/events", headers, body: `{"password": hunter2` });
  await send({
    method: "POST",
    path: "/apiv1/events",
    headers: { authorization: "Bearer wrong-key-0123456789" },
  });
  const { body } = await send({ path: "/apiv1/refusals", headers: { authorization: `Bearer ${READ}` } });
  const text = JSON.stringify(body);
  expect(text).not.toMatch(/write-key|wrong-key|hunter2/);
  expect(text).toContain("There is nothing at /v9/projects/…/settings.");
  expect(text).toContain("The body is not JSON.");
});

test("the list is for read keys", async () => {
  const { send } = openEdge(KEYED);
  expect((await send({ path: "/apiv1/refusals" })).status).toBe(401);
});
