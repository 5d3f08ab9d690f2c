import { once } from "node:events";
import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { ask, eventually, post, track } from "./client.ts";
import { databaseIn, testFolder, testServer } from "./servers.ts";

const VARIANTS = [{ variant_name: "red" }, { variant_name: "blue" }];

async function createExperiment(url: string, test_name: string): Promise<number> {
  const { status, body } = await post(url, "/apiv1/ab-tests", { test_name, variants: VARIANTS });
  expect(status).toBe(201);
  return JSON.parse(body).test_id;
}

/** Number of rows of a table, read by another connection. */
function countIn(folder: string, table: string): number {
  const db = new Sqlite(databaseIn(folder), { readonly: true });
  try {
    return db.prepare<[], number>(`select count(*) from ${table}`).pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

test("a deleted experiment with thousands of users stays deleted after a kill, and its rows are removed", async ({
  onTestFinished,
}) => {
  const folder = await testFolder(onTestFinished);
  const server = await testServer(onTestFinished, folder);
  const id = await createExperiment(server.url, "full");
  for (let from = 0; from < 20_000; from += 2_000) {
    const users = Array.from({ length: 2_000 }, (_, n) => ({ user_id: `user-${from + n}`, variant: "red" }));
    expect((await post(server.url, `/apiv1/ab-tests/${id}/assignments`, users)).status).toBe(201);
  }
  expect((await ask(server.url, { method: "DELETE", path: `/apiv1/ab-tests/${id}` })).status).toBe(204);
  server.process.kill("SIGKILL");
  await once(server.process, "exit");
  expect(countIn(folder, "ab_assignments")).toBeGreaterThan(0);

  const next = await testServer(onTestFinished, folder);
  expect((await ask(next.url, { path: `/apiv1/ab-tests/${id}` })).status).toBe(404);
  expect(await createExperiment(next.url, "full")).not.toBe(id);
  await eventually(async () => expect(countIn(folder, "ab_deletions")).toBe(0));
  expect(countIn(folder, "ab_assignments")).toBe(0);
});

test("events are stored while users are assigned to hundreds of experiments", async ({ onTestFinished }) => {
  const folder = await testFolder(onTestFinished);
  const { url } = await testServer(onTestFinished, folder);
  const EXPERIMENTS = 300;
  for (let n = 0; n < EXPERIMENTS; n += 1) await createExperiment(url, `test-${n}`);
  const users = Array.from({ length: 20 }, (_, n) => `user-${n}`);

  let done = false;
  let during = 0;
  const assigning = Promise.all(
    users.map(async (user_id) => JSON.parse((await post(url, "/apiv1/assignments", { user_id })).body)),
  ).finally(() => {
    done = true;
  });
  while (!done) {
    expect((await track(url)).status).toBe(201);
    if (!done) during += 1;
  }
  expect(during).toBeGreaterThan(3);
  for (const { assignments } of await assigning) {
    expect(assignments).toHaveLength(EXPERIMENTS);
    expect(new Set(assignments.map(({ variant }: { variant: string | null }) => variant))).toEqual(
      new Set(["red", "blue"]),
    );
  }
  expect(countIn(folder, "ab_assignments")).toBe(EXPERIMENTS * users.length);
  const again = await post(url, "/apiv1/assignments", { user_id: "user-0" });
  expect(JSON.parse(again.body)).toEqual((await assigning)[0]);
});
