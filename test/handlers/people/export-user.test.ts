import { expect, test } from "vitest";
import type { Line } from "../../../handlers/contract/listing.ts";
import { assignVariant } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { createExperiment } from "../../../handlers/experiments/create-experiment.ts";
import { trackMetrics } from "../../../handlers/experiments/metrics/track-metrics.ts";
import { eraseUser } from "../../../handlers/people/erase-user.ts";
import { exportUser } from "../../../handlers/people/export-user.ts";
import { linkUsers } from "../../../handlers/people/link-users.ts";
import { call, MINUTE, openEdge, openWorld, refusalOf, type TestWorld } from "../../world.ts";
import { track } from "../experiments/tracked.ts";

async function linesOf(world: TestWorld, user_id: string, cursor?: string): Promise<Line[]> {
  const { body } = await call(exportUser, world, { params: { user_id }, query: { cursor } });
  const lines: Line[] = [];
  for await (const portion of body.traits.portions) lines.push(...portion);
  return lines;
}

const recordsOf = async (world: TestWorld, user_id: string) =>
  (await linesOf(world, user_id)).map(({ text }) => JSON.parse(text()));

/** Ann looks on her phone, where she is in an experiment, and buys after her login. Bob buys too. */
async function shop(): Promise<TestWorld> {
  const world = openWorld();
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  await call(createExperiment, world, { body: { test_name: "button", variants } });
  await world.storage.assign(1, [{ user_id: "bob", variant_id: 1, assigned_at: world.now() }]);
  await call(assignVariant, world, {
    params: { test_id: "1" },
    body: { user_id: "phone", attributes: { plan: "free" } },
  });
  await track(world, { event_type: "view", user_id: "phone", properties: { page: "/" } });
  world.advance(MINUTE);
  await call(linkUsers, world, { body: { anonymous_id: "phone", user_id: "ann" } });
  await call(trackMetrics, world, {
    params: { test_id: "1" },
    body: ["bob", "phone"].map((user_id) => ({ user_id, metric_name: "paid", value: 9.5 })),
  });
  await track(world, { event_type: "buy", user_id: "ann" }, { event_type: "buy", user_id: "bob" });
  return world;
}

const BEFORE = "2026-11-22T10:00:00.000Z";
const AFTER = "2026-11-22T10:01:00.000Z";

test("an export has every record about a person, under any of their ids, and none of others", async () => {
  const world = await shop();
  const event = { session_id: null, client_timestamp: null };
  const variant = expect.stringMatching(/^(?:red|blue)$/);
  const records = [
    { record: "link", anonymous_id: "phone", user_id: "ann", linked_at: AFTER },
    {
      record: "assignment",
      test_id: 1,
      test_name: "button",
      user_id: "phone",
      variant,
      assigned_at: BEFORE,
      attributes: { plan: "free" },
    },
    {
      record: "value",
      id: 2,
      test_id: 1,
      user_id: "phone",
      variant,
      metric_name: "paid",
      value: 9.5,
      timestamp: AFTER,
    },
    {
      record: "event",
      id: 2,
      event_type: "buy",
      user_id: "ann",
      ...event,
      timestamp: AFTER,
      created_at: AFTER,
      properties: null,
    },
    {
      record: "event",
      id: 1,
      event_type: "view",
      user_id: "phone",
      ...event,
      timestamp: BEFORE,
      created_at: BEFORE,
      properties: { page: "/" },
    },
  ];
  expect(await recordsOf(world, "ann")).toEqual(records);
  expect(await recordsOf(world, "phone")).toEqual(records);
});

test("an export that was cut goes on after any of its lines", async () => {
  const world = await shop();
  const lines = await linesOf(world, "ann");
  const textsFrom = async (cursor: string) => (await linesOf(world, "ann", cursor)).map(({ text }) => text());
  for (const [index, line] of lines.entries()) {
    expect(await textsFrom(line.cursor())).toEqual(lines.slice(index + 1).map(({ text }) => text()));
  }
});

test("values are found among many thousands of others", { timeout: 60_000 }, async () => {
  const world = await shop();
  const value = {
    user_id: "bob",
    metric_name: "paid",
    value: 1,
    created_at: 0,
    occurred_at: 0,
    message_key: null,
  };
  for (let done = 0; done < 11; done += 1) await world.storage.appendMetrics(1, Array(1_000).fill(value));
  await call(trackMetrics, world, {
    params: { test_id: "1" },
    body: [{ user_id: "phone", metric_name: "late", value: 3 }],
  });
  const values = (await recordsOf(world, "ann")).filter(({ record }) => record === "value");
  expect(values.map(({ metric_name }) => metric_name)).toEqual(["paid", "late"]);
});

test("a user of whom nothing is stored is not found, nor is one who was erased", async () => {
  const world = await shop();
  const exported = (user_id: string) => call(exportUser, world, { params: { user_id } });
  expect((await refusalOf(exported("nobody"))).code).toBe("not_found");
  await call(eraseUser, world, { params: { user_id: "ann" } });
  for (const user_id of ["ann", "phone"]) expect((await refusalOf(exported(user_id))).code).toBe("not_found");
});

test("an answer that is bounded says where the export goes on", async () => {
  const world = await shop();
  const edge = openEdge({}, { storage: world.storage, now: world.now }, { maxAnswerBytes: 500 });
  const texts: string[] = [];
  let path: string | undefined = "/apiv1/users/ann/export";
  while (path !== undefined) {
    const { status, headers, body } = await edge.send({ path });
    expect(status).toBe(200);
    texts.push(String(body));
    const cursor = headers["x-next-cursor"];
    path = cursor === undefined ? undefined : `/apiv1/users/ann/export?cursor=${cursor}`;
  }
  expect(texts.length).toBeGreaterThan(1);
  expect(texts.join("")).toBe((await linesOf(world, "ann")).map(({ text }) => text()).join(""));
});
