import { expect, test } from "vitest";
import { trackEvents } from "../../../handlers/events/track-events.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { trackMetric } from "../../../handlers/experiments/metrics/track-metric.ts";
import { eraseUser } from "../../../handlers/people/erase-user.ts";
import { listErasures } from "../../../handlers/people/list-erasures.ts";
import { listEvents } from "../../../handlers/reports/list-events.ts";
import { call, openEdge, openWorld, refusalOf, withColours } from "../../world.ts";

const params = { test_id: "1" };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test("erases a user from reports and results, and answers a receipt", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red", bob: "red" } });
  const events = ["ann", "bob", "ann"].map((user_id) => ({ event_type: "view", user_id }));
  await call(trackEvents, world, { body: events });
  for (const user_id of ["ann", "bob"])
    await call(trackMetric, world, { params, body: { user_id, metric_name: "sales" } });
  const { outcome, body } = await call(eraseUser, world, { params: { user_id: "ann" } });
  expect({ outcome, body }).toStrictEqual({
    outcome: "ok",
    body: {
      success: true,
      receipt: expect.stringMatching(/^salt-\d+$/),
      erased: { events: 2, assignments: 1, metric_values: 1, links: 0 },
      erased_at: expect.stringMatching(TIME),
    },
  });
  const { body: list } = await call(listEvents, world, {});
  expect(list.events.map(({ user_id }) => user_id)).toEqual(["bob"]);
  const { body: results } = await call(getResults, world, { params });
  expect(results.results.map(({ users, metric_count }) => [users, metric_count])).toEqual([
    [1, 1],
    [0, 0],
  ]);
});

test("answers 404 for a user about whom nothing is stored, also the second time", async () => {
  const world = openWorld();
  await call(trackEvents, world, { body: [{ event_type: "view", user_id: "ann" }] });
  await call(eraseUser, world, { params: { user_id: "ann" } });
  expect(await refusalOf(call(eraseUser, world, { params: { user_id: "ann" } }))).toMatchObject({
    code: "not_found",
    detail: "Nothing is stored about this user.",
  });
});

test("lists receipts newest first and page by page, without the users' ids", async () => {
  const world = openWorld();
  const users = ["ann", "bob", "cyd"];
  await call(trackEvents, world, { body: users.map((user_id) => ({ event_type: "view", user_id })) });
  const receipts: string[] = [];
  for (const user_id of users) {
    const { body } = await call(eraseUser, world, { params: { user_id } });
    receipts.push(body.receipt);
  }
  const { body: first } = await call(listErasures, world, { query: { limit: "2" } });
  const { body: second } = await call(listErasures, world, { query: { cursor: first.next_cursor } });
  const listed = [...first.erasures, ...second.erasures];
  expect([first.erasures.length, second.next_cursor]).toEqual([2, null]);
  expect(new Set(listed.map(({ receipt }) => receipt))).toEqual(new Set(receipts));
  expect(Object.keys(listed[0] ?? {})).toEqual(["receipt", "erased", "erased_at"]);
});

test("a user id in the path may have any characters that a name may have", async () => {
  const { send } = openEdge();
  const user_id = "a/b ü?😀%";
  await send({ method: "POST", path: "/apiv1/events", body: { event_type: "view", user_id } });
  const path = `/apiv1/users/${encodeURIComponent(user_id)}`;
  const answer = await send({ method: "DELETE", path });
  expect([answer.status, answer.body]).toMatchObject([200, { erased: { events: 1 } }]);
});
