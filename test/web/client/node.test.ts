import { join } from "node:path";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../../web/client/node.ts";
import { spawnNode } from "../../bench/processes.ts";
import { ask, post } from "../../end-to-end/client.ts";
import { type Ending, endingOf, testFolder, testServer } from "../../end-to-end/servers.ts";
import { testFront } from "./front.ts";

async function scene(variables?: Record<string, string>) {
  const server = await testServer(onTestFinished, await testFolder(onTestFinished), variables);
  const front = await testFront(onTestFinished, server.url);

  /** Runs a program that has a client of the server, until it has nothing left to do. */
  async function run(program: string, options = {}): Promise<Ending> {
    const client = join(inject("project"), "dist/web/node.js");
    const start = `import { createClient } from ${JSON.stringify(client)};
      const analytics = createClient(${JSON.stringify({ url: front.url, ...options })});`;
    return endingOf(spawnNode({ args: ["--input-type=module", "--eval", start + program] }));
  }

  async function stored(headers = {}): Promise<readonly Record<string, unknown>[]> {
    const { body } = await ask(server.url, { path: "/apiv1/events?limit=500", headers });
    return JSON.parse(body).events;
  }

  return { server, front, run, stored };
}

const QUIET: Ending = { code: 0, stdout: "", stderr: "" };

const THREE_CLICKS = `const user = analytics.forUser("user123", "session456");
  for (let n = 0; n < 3; n++) user.track("click", { n });`;

test("a process sends what it has tracked before it ends, in one request", async () => {
  const { front, run, stored } = await scene();
  expect(await run(THREE_CLICKS)).toEqual(QUIET);
  expect(
    (await stored()).map(({ user_id, session_id, properties }) => ({ user_id, session_id, properties })),
  ).toEqual([2, 1, 0].map((n) => ({ user_id: "user123", session_id: "session456", properties: { n } })));
  expect(front.seen).toHaveLength(1);
});

test("a batch whose answer was lost is sent again, and its events are stored once", async () => {
  const { front, run, stored } = await scene();
  front.trouble = "mute";
  const ending = run(THREE_CLICKS);
  await vi.waitUntil(async () => (await stored()).length > 0, { timeout: 30_000 });
  front.trouble = "none";
  expect(await ending).toEqual(QUIET);
  expect(await stored()).toHaveLength(3);
  expect(front.seen.length).toBeGreaterThan(1);
});

test("a process ends although the server is away", async () => {
  const { front, run, stored } = await scene();
  front.trouble = "away";
  const started = Date.now();
  expect(await run(THREE_CLICKS)).toEqual(QUIET);
  expect(Date.now() - started).toBeLessThan(30_000);
  expect(await stored()).toEqual([]);
});

test("flush says whether everything was stored in time", async () => {
  const { front, run } = await scene();
  const program = (patience: number) => `${THREE_CLICKS}
    process.stdout.write(String(await analytics.flush(${patience})));
    process.exit();`;
  expect(await run(program(30_000))).toEqual({ ...QUIET, stdout: "true" });
  front.trouble = "busy";
  expect(await run(program(100))).toEqual({ ...QUIET, stdout: "false" });
});

test.each([401, 404, 408, 413, 425, 200, "moved"] as const)(
  "flush keeps the events and says false while a proxy answers with %s",
  async (trouble) => {
    const { front, stored } = await scene();
    const refused: string[] = [];
    const analytics = createClient({ url: front.url, onRefused: (problem) => void refused.push(problem) });
    for (let n = 0; n < 3; n++) analytics.forUser("user123").track("click", { n });
    front.trouble = trouble;
    expect(await analytics.flush(100)).toBe(false);
    await vi.waitUntil(() => front.seen.length > 0, { timeout: 30_000 });
    front.clear();
    expect(await analytics.flush(30_000)).toBe(true);
    expect(await stored()).toHaveLength(3);
    expect(refused).toEqual([]);
  },
);

test("flush says true after the server's own refusal, which is reported", async () => {
  const { front, stored } = await scene();
  const refused: string[] = [];
  const analytics = createClient({ url: front.url, onRefused: (problem) => void refused.push(problem) });
  analytics.forUser("user123").track(" ");
  expect(await analytics.flush(30_000)).toBe(true);
  expect(await stored()).toEqual([]);
  expect(refused).toEqual([expect.stringMatching(/"code":"invalid".*must not be blank/)]);
});

test("an event that is too large to be ever stored is refused alone", async () => {
  const { front, stored } = await scene();
  const refused: string[] = [];
  const analytics = createClient({ url: front.url, onRefused: (problem) => void refused.push(problem) });
  const user = analytics.forUser(42);
  for (let n = 0; n < 20; n++) user.track("click", { n });
  user.track("click", { text: "x".repeat(1_000_000) });
  expect(await analytics.flush(30_000)).toBe(true);
  expect((await stored()).map(({ user_id }) => user_id)).toEqual(Array(20).fill("42"));
  expect(refused).toEqual(["Error: over 64 KiB"]);
});

test("mistakes are shown on the console once, or passed to the handler, and nothing is thrown", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  onTestFinished(() => warn.mockRestore());
  const options = { url: "localhost:20000", user: "u1" };
  const broken = createClient(options);
  broken.forUser("user123").track("click");
  expect(await broken.forUser("user123").assign("colour")).toBe(null);
  expect(await broken.flush(100)).toBe(false);
  const analytics = createClient({ url: "http://127.0.0.1:1" });
  for (const id of ["", " ", "x".repeat(201), Number.NaN]) analytics.forUser(id).track("click");
  analytics.forUser("user123", "");
  expect(warn.mock.calls.map(([, problem]) => problem)).toEqual([
    "no option user",
    "no url localhost:20000",
    "no user_id of 1 to 200 characters",
    "no session_id of 1 to 200 characters",
  ]);
  const told: string[] = [];
  createClient({ url: "", onRefused: (problem) => void told.push(problem) });
  expect(told).toEqual(["no url "]);
  expect(warn).toHaveBeenCalledTimes(4);
});

test("to read a variant enrols in that experiment alone, and the events after it count", async () => {
  const { server, front } = await scene();
  for (const test_name of ["first", "second"]) {
    await post(server.url, "/apiv1/ab-tests", {
      test_name,
      variants: [{ variant_name: "red" }, { variant_name: "blue" }],
    });
  }
  const usersOf = async (id: number) => {
    const { results } = JSON.parse((await ask(server.url, { path: `/apiv1/ab-tests/${id}/results` })).body);
    return results.reduce((sum: number, { users }: { readonly users: number }) => sum + users, 0);
  };
  const user = createClient({ url: front.url, timeout: 30_000 }).forUser("user123");
  expect(await user.assign("first")).toMatch(/red|blue/);
  expect(Object.keys(await user.assignments())).toEqual(["second", "first"]);
  expect([await usersOf(1), await usersOf(2)]).toEqual([1, 0]);
});

test("flush says so in time where the server never answers", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  onTestFinished(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const analytics = createClient({ url: "http://127.0.0.1:1" });
  analytics.forUser("user123").track("click");
  const answer = analytics.flush(100);
  await vi.advanceTimersByTimeAsync(100);
  expect(await answer).toBe(false);
});

test("users are enrolled when their variant is read or a value of theirs is tracked, with a key", async () => {
  const [write, admin] = ["write-key-of-sixteen", "admin-key-of-sixteen"];
  const { server, run } = await scene({ ANALYTICS_WRITE_KEYS: write, ANALYTICS_ADMIN_KEYS: admin });
  const headers = { authorization: `Bearer ${admin}` };
  const colours = { test_name: "colour", variants: [{ variant_name: "red" }, { variant_name: "blue" }] };
  await post(server.url, "/apiv1/ab-tests", colours, headers);
  const program = `for (let n = 0; n < 20; n++) {
      const user = analytics.forUser("user" + n);
      const variant = await user.assign("colour");
      user.trackMetric("colour", "signup");
      analytics.forUser("late" + n).trackMetric(1, "signup");
      if (variant !== "red" && variant !== "blue") process.stdout.write("no variant");
    }`;
  expect(await run(program, { key: write, timeout: 30_000 })).toEqual(QUIET);
  const { results } = JSON.parse(
    (await ask(server.url, { path: "/apiv1/ab-tests/1/results", headers })).body,
  );
  const sum = (name: string) =>
    results.reduce((all: number, one: Record<string, number>) => all + (one[name] ?? 0), 0);
  expect({ users: sum("users"), values: sum("metric_count") }).toEqual({ users: 40, values: 40 });
});

test("a process links two ids, which are one person from the answer on", async () => {
  const { server, run } = await scene();
  const program = `const linked = [await analytics.alias("anon-1", "user123"), await analytics.alias("anon-1", 7)];
    process.stdout.write(JSON.stringify(linked));`;
  const { stdout, stderr } = await run(program);
  expect(stdout).toBe("[true,false]");
  expect(stderr).toContain("is linked to another user_id");
  await post(server.url, "/apiv1/events/batch", [
    { event_type: "view", user_id: "anon-1" },
    { event_type: "view", user_id: "user123" },
  ]);
  const { body } = await ask(server.url, { path: "/apiv1/events/trend?measure=users" });
  expect(JSON.parse(body).series[0].total).toBe(1);
});
