import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAnalytics } from "../../../web/client/analytics.ts";
import { createAssignments } from "../../../web/client/assignments.ts";
import type { Reply } from "../../../web/client/post.ts";
import type { Item } from "../../../web/client/queue.ts";
import { createStore } from "../../../web/client/store.ts";
import { fakeNetwork, type Sent, SILENCE } from "./network.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-22T10:00:00.000Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

const RED = { test_id: 1, variant: "red", variant_id: 1, assigned_at: "2026-11-22T09:00:00.000Z" };
const NAMED = { ...RED, test_name: "colour" };
const OUTSIDE = { test_id: 2, test_name: "price", variant: null, reason: "not_in_traffic" };

const everywhere = (...assignments: readonly object[]): Reply => [
  200,
  JSON.stringify({ user_id: "u1", assignments }),
  null,
];

const pathsOf = (sent: readonly Sent[]) => sent.map(({ path }) => path);

test("one question answers every test, by name", async () => {
  const { sent, post } = fakeNetwork(() => everywhere(NAMED, OUTSIDE));
  const assignments = createAssignments("u1", createStore(), post);
  expect(await assignments.assign("colour")).toBe("red");
  expect(await assignments.assign("price")).toBe(null);
  expect(await assignments.assign("no such test")).toBe(null);
  expect(await assignments.assignments()).toEqual({ colour: "red", price: null });
  expect(sent).toEqual([{ path: "assignments", body: { user_id: "u1" } }]);
});

test("a test's id enrols in this test alone, and its name is kept", async () => {
  const { sent, post } = fakeNetwork(({ path }) =>
    path === "assignments" ? everywhere(NAMED) : [200, JSON.stringify({ ...RED, user_id: "u1" }), null],
  );
  const assignments = createAssignments("u1", createStore(), post);
  expect(await assignments.assign(1)).toBe("red");
  expect(pathsOf(sent)).toEqual(["ab-tests/1/assign"]);
  expect(await assignments.assign("colour")).toBe("red");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await assignments.assign(1)).toBe("red");
  expect(await assignments.assign("colour")).toBe("red");
});

test("a known variant is answered at once and asked for again once a minute", async () => {
  const store = createStore();
  const first = createAssignments("u1", store, fakeNetwork(() => everywhere(NAMED)).post);
  await first.assign("colour");

  let answer: Reply = SILENCE;
  const { sent, post } = fakeNetwork(() => answer);
  const later = createAssignments("u1", store, post);
  expect(await later.assign("colour")).toBe("red");
  answer = everywhere({ ...NAMED, variant: "blue" });
  await vi.advanceTimersByTimeAsync(1);
  expect(await later.assign("colour")).toBe("red");
  await vi.advanceTimersByTimeAsync(1);
  for (let call = 0; call < 5; call++) expect(await later.assign("colour")).toBe("blue");
  expect(sent).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(60_000);
  await later.assign("colour");
  expect(sent).toHaveLength(3);
});

test("another user of the browser does not inherit what was known", async () => {
  const store = createStore();
  const first = createAssignments("u1", store, fakeNetwork(() => everywhere(NAMED)).post);
  await first.assign("colour");
  const other = createAssignments("u2", store, fakeNetwork(() => SILENCE).post);
  expect(await other.assign("colour")).toBe(null);
  const again = createAssignments("u1", store, fakeNetwork(() => SILENCE).post);
  expect(await again.assign("colour")).toBe("red");
});

test.each<[string, Reply]>([
  ["is silent", SILENCE],
  ["is too busy", [503, "", "1"]],
  ["refuses", [401, "{}", null]],
  ["is somebody else", [200, "<p>Welcome to our Wi-Fi</p>", null]],
  ["is somebody else with JSON", [200, "{}", null]],
  ["is somebody else with nothing", [200, "null", null]],
])("there is no variant where the server %s, and nothing is thrown", async (_, reply) => {
  const assignments = createAssignments("u1", createStore(), fakeNetwork(() => reply).post);
  expect(await assignments.assign("colour")).toBe(null);
  expect(await assignments.assignments()).toEqual({});
  expect(assignments.find("colour")).toBe(undefined);
});

test("a server that does not answer is waited for no longer than the time allowed", async () => {
  let arrive: (reply: Reply) => void = () => {};
  const post = () => new Promise<Reply>((resolve) => (arrive = resolve));
  const assignments = createAssignments("u1", createStore(), post, 300);
  const answer = assignments.assign("colour");
  await vi.advanceTimersByTimeAsync(300);
  expect(await answer).toBe(null);
  // What comes too late is there for the next time.
  arrive(everywhere(NAMED));
  await vi.advanceTimersByTimeAsync(0);
  expect(await assignments.assign("colour")).toBe("red");
});

test("a value of somebody with a variant never happens before they had it, whatever this clock says", async () => {
  const network = fakeNetwork(() => everywhere(NAMED));
  const assignments = createAssignments("u1", createStore(), network.post);
  const added: Item[] = [];
  const analytics = createAnalytics(
    "u1",
    () => "s1",
    assignments,
    (item) => void added.push(item),
  );
  vi.setSystemTime(new Date("2026-11-22T08:00:00.000Z"));
  analytics.trackMetric("colour", "signup");
  await analytics.assign("colour");
  analytics.trackMetric("colour", "signup");
  analytics.trackMetric("colour", "revenue", 9.5);
  analytics.track("click", { n: 1 });
  const [before, now] = [Date.parse("2026-11-22T08:00:00.000Z"), Date.parse(RED.assigned_at)];
  const message_id = expect.stringMatching(/^[0-9a-f-]{36}$/);
  expect(added).toEqual([
    { message_id, user_id: "u1", timestamp: before, test: "colour", metric_name: "signup", value: 1 },
    { message_id, user_id: "u1", timestamp: now, test: "colour", metric_name: "signup", value: 1 },
    { message_id, user_id: "u1", timestamp: now, test: "colour", metric_name: "revenue", value: 9.5 },
    {
      message_id,
      user_id: "u1",
      timestamp: before,
      session_id: "s1",
      event_type: "click",
      properties: { n: 1 },
    },
  ]);
});
