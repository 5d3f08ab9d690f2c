import { expect, test } from "vitest";
import { track } from "../../../handlers/experiments/tracked.ts";
import { openEdge, type TestWorld } from "../../../world.ts";

const trackMany = (world: TestWorld, count: number, text: string) =>
  track(world, ...Array.from({ length: count }, () => ({ event_type: "view", properties: { text } })));

const maxAnswerBytes = 6 * 1024 * 1024;
const path = "/apiv1/events?limit=500";
const large = "x".repeat(60_000);

test("a report larger than the limit of answers is refused with how to make it smaller", async () => {
  const { send, world, logs } = openEdge({}, {}, { maxAnswerBytes });
  await trackMany(world, 110, large);
  const detail =
    "The answer is larger than the 6 MiB that an answer may have here: ask for fewer events, types or groups, for a shorter time or for longer intervals.";
  const { status, body } = await send({ path });
  expect(status).toBe(400);
  expect(body).toStrictEqual({
    type: "about:blank",
    title: "The request has faults",
    status: 400,
    detail,
    code: "invalid",
    errors: [{ path: "", message: detail }],
  });
  expect(logs).toMatchObject([{ level: "warn", status: 400, code: "invalid" }]);
  expect((await send({ path: "/apiv1/events?limit=50" })).status).toBe(200);
});

test("the size is measured as escaped JSON within JSON, where a quote takes four bytes", async () => {
  const { send, world } = openEdge({}, {}, { maxAnswerBytes });
  await trackMany(world, 60, '"'.repeat(30_000));
  expect((await send({ path })).status).toBe(400);
});

test("a server with its own socket sends answers of any size", async () => {
  const { send, world } = openEdge();
  await trackMany(world, 110, large);
  const { status, body } = await send({ path });
  expect([status, (body as { events: unknown[] }).events.length]).toEqual([200, 110]);
});
