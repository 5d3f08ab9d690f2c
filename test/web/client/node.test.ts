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

  /** Runs a program that has a client for the front, and ends when it has nothing left to do. */
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

test("a process that ends sends first what it has tracked, in one request", async () => {
  const { front, run, stored } = await scene();
  expect(await run(THREE_CLICKS)).toEqual(QUIET);
  expect(
    (await stored()).map(({ user_id, session_id, properties }) => ({ user_id, session_id, properties })),
  ).toEqual([2, 1, 0].map((n) => ({ user_id: "user123", session_id: "session456", properties: { n } })));
  expect(front.seen).toHaveLength(1);
});

test("it sends again what the server was too busy for, and what it has lost the answer of, once each", async () => {
  const { front, run, stored } = await scene();
  front.trouble = "mute";
  const ending = run(THREE_CLICKS);
  await vi.waitUntil(async () => (await stored()).length > 0, { timeout: 30_000 });
  front.trouble = "none";
  expect(await ending).toEqual(QUIET);
  expect(await stored()).toHaveLength(3);
  expect(front.seen.length).toBeGreaterThan(1);
});

test("a process does not wait for ever for a server that is away", async () => {
  const { front, run, stored } = await scene();
  front.trouble = "away";
  const started = Date.now();
  expect(await run(THREE_CLICKS)).toEqual(QUIET);
  expect(Date.now() - started).toBeLessThan(30_000);
  expect(await stored()).toEqual([]);
});

test("says whether everything was taken in time", async () => {
  const { front, run } = await scene();
  const program = (patience: number) => `${THREE_CLICKS}
    process.stdout.write(String(await analytics.flush(${patience})));
    process.exit();`;
  expect(await run(program(30_000))).toEqual({ ...QUIET, stdout: "true" });
  front.trouble = "busy";
  expect(await run(program(100))).toEqual({ ...QUIET, stdout: "false" });
});

test("says so in time where the server takes what is sent and never answers", async () => {
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

test("enrols whose values it tracks, with a key where the server has keys", async () => {
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
