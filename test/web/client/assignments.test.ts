import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAssignments } from "../../../web/client/assignments.ts";
import type { Reply } from "../../../web/client/post.ts";
import { fakeNetwork, memoryStore, refusal, type Sent, type Wire } from "./network.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-22T10:00:00.000Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

const PREVIEW = { test_id: 1, test_name: "colour", variant: "red", variant_id: 1 };
const RED = { test_id: 1, variant: "red", variant_id: 1, assigned_at: "2026-11-22T09:00:00.000Z" };
const NAMED = { ...RED, test_name: "colour" };
const OUTSIDE = { test_id: 2, test_name: "price", variant: null, reason: "not_in_traffic" };
const WINNER = { test_id: 3, test_name: "layout", variant: "wide", variant_id: 6, reason: "winner" };

const everywhere = (...assignments: readonly object[]): Wire => [
  200,
  JSON.stringify({ user_id: "u1", assignments }),
];
const enrolled: Wire = [201, JSON.stringify({ ...RED, user_id: "u1" })];

/** A server with the experiments; assigning enrols in "colour". */
const serverOf =
  (...assignments: readonly object[]) =>
  ({ path }: Sent): Wire =>
    path === "assignments" ? everywhere(...assignments) : enrolled;

const pathsOf = (sent: readonly Sent[]) => sent.map(({ path }) => path);

test("to ask for one experiment by name enrols in that experiment alone", async () => {
  const { sent, post } = fakeNetwork(
    serverOf(PREVIEW, { ...PREVIEW, test_id: 4, test_name: "other" }, OUTSIDE),
  );
  const assignments = createAssignments("u1", memoryStore(), post);
  expect(await assignments.assign("colour")).toBe("red");
  expect(sent).toEqual([
    { path: "assignments", body: { user_id: "u1", enrol: false } },
    { path: "ab-tests/1/assign", body: { user_id: "u1" } },
  ]);
});

test("experiments that enrol nobody are answered from the question about all", async () => {
  const { sent, post } = fakeNetwork(serverOf(NAMED, OUTSIDE, WINNER));
  const assignments = createAssignments("u1", memoryStore(), post);
  expect(await assignments.assign("colour")).toBe("red");
  expect(await assignments.assign("price")).toBe(null);
  expect(await assignments.assign("layout")).toBe("wide");
  expect(await assignments.assign("no such experiment")).toBe(null);
  expect(pathsOf(sent)).toEqual(["assignments"]);
});

test("the list of variants enrols when a variant is read, and in that experiment alone", async () => {
  const { sent, post } = fakeNetwork(
    serverOf(PREVIEW, { ...PREVIEW, test_id: 4, test_name: "other" }, WINNER),
  );
  const assignments = createAssignments("u1", memoryStore(), post);
  const all = await assignments.assignments();
  expect(Object.keys(all)).toEqual(["colour", "other", "layout"]);
  expect(pathsOf(sent)).toEqual(["assignments"]);
  expect([all.colour, all.layout]).toEqual(["red", "wide"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(pathsOf(sent)).toEqual(["assignments", "ab-tests/1/assign"]);
});

test("a variant is shown although its enrolment fails, and enrolled when it is read again", async () => {
  let answer: Wire = "silence";
  const { sent, post } = fakeNetwork((one) => (one.path === "assignments" ? everywhere(PREVIEW) : answer));
  const assignments = createAssignments("u1", memoryStore(), post);
  expect(await assignments.assign("colour")).toBe("red");
  // Values of the user have to wait.
  expect(assignments.find("colour")).toBe(undefined);
  answer = enrolled;
  await vi.advanceTimersByTimeAsync(1);
  expect(await assignments.assign("colour")).toBe("red");
  expect(assignments.find("colour")).toMatchObject(NAMED);
  expect(pathsOf(sent)).toEqual(["assignments", "ab-tests/1/assign", "ab-tests/1/assign"]);
});

test("a variant that was read from the list is shown on the next page too, while the server is away", async () => {
  const store = memoryStore();
  const { post } = fakeNetwork(({ path }) => (path === "assignments" ? everywhere(PREVIEW) : "silence"));
  expect((await createAssignments("u1", store, post).assignments()).colour).toBe("red");
  const next = createAssignments("u1", store, fakeNetwork(() => "silence").post);
  expect(await next.assign("colour")).toBe("red");
});

test("an experiment's id enrols in one request, and a known name stays", async () => {
  const { sent, post } = fakeNetwork(serverOf(NAMED));
  const assignments = createAssignments("u1", memoryStore(), post);
  expect(await assignments.assign(1)).toBe("red");
  expect(pathsOf(sent)).toEqual(["ab-tests/1/assign"]);
  expect(await assignments.assign("colour")).toBe("red");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await assignments.assign(1)).toBe("red");
  expect(await assignments.assign("colour")).toBe("red");
});

test("a known variant is answered at once and refreshed once a minute", async () => {
  const store = memoryStore();
  await createAssignments("u1", store, fakeNetwork(serverOf(NAMED)).post).assign("colour");
  let answer: Wire = "silence";
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

test("users of one browser do not share variants", async () => {
  const store = memoryStore();
  await createAssignments("u1", store, fakeNetwork(serverOf(NAMED)).post).assign("colour");
  const silent = fakeNetwork(() => "silence").post;
  expect(await createAssignments("u2", store, silent).assign("colour")).toBe(null);
  expect(await createAssignments("u1", store, silent).assign("colour")).toBe("red");
});

test.each<[string, Wire]>([
  ["does not answer", "silence"],
  ["is too busy", [503, "", "1"]],
  ["refuses the key", refusal(401, "unauthorized")],
  ["is a captive portal", [200, "<p>Welcome to our Wi-Fi</p>"]],
  ["is a proxy that asks for a login", [401, "<p>Log in</p>"]],
  ["sends an empty object", [200, "{}"]],
  ["sends null", [200, "null"]],
])("there is no variant and no exception where the server %s", async (_, wire) => {
  const assignments = createAssignments("u1", memoryStore(), fakeNetwork(() => wire).post);
  expect(await assignments.assign("colour")).toBe(null);
  expect(await assignments.assignments()).toEqual({});
  expect(assignments.find("colour")).toBe(undefined);
});

test("assign waits no longer than the timeout, for both requests together", async () => {
  const waiting: ((reply: Reply) => void)[] = [];
  const post = () => new Promise<Reply>((resolve) => void waiting.push(resolve));
  const assignments = createAssignments("u1", memoryStore(), post, 300);
  const first = assignments.assign("colour");
  await vi.advanceTimersByTimeAsync(300);
  expect(await first).toBe(null);
  const second = assignments.assign("colour");
  // An answer that comes too late is there for the next call.
  waiting[0]?.([{ assignments: [PREVIEW] }, ""]);
  await vi.advanceTimersByTimeAsync(300);
  expect(await second).toBe("red");
  expect(assignments.find("colour")).toBe(undefined);
  waiting[1]?.([RED, ""]);
  await vi.advanceTimersByTimeAsync(0);
  expect(assignments.find("colour")).toMatchObject(NAMED);
});
