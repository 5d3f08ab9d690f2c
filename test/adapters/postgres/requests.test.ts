import { readdirSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, type RunnerTask, test, vi } from "vitest";
import type { Storage } from "../../../domain/storage.ts";
import { type Databases, startDatabases } from "./databases.ts";

let databases: Databases;
let opened = 0;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases.remove());

beforeEach(() => {
  onTestFinished(() => databases.empty());
});

// Every world of the tests below asks for an SQLite database in memory; here it is given an empty one of PostgreSQL.
vi.mock("../../../adapters/sqlite/storage.ts", () => ({
  openSqlite: (): Storage => {
    opened += 1;
    return databases.lend();
  },
}));

// The requests of the whole suite, test by test as they are written for SQLite.
for (const folder of ["handlers", "adapters/http"]) {
  const files = readdirSync(new URL(`../../${folder}/`, import.meta.url), {
    recursive: true,
    encoding: "utf8",
  });
  for (const file of files.filter((name) => name.endsWith(".test.ts")))
    await import(`../../${folder}/${file}`);
}

/** Whatever has failed so far: tests, and the groups whose own preparation has. */
function failuresOf(tasks: readonly RunnerTask[]): string[] {
  return tasks.flatMap((task) => {
    const within = task.type === "suite" ? failuresOf(task.tasks) : [];
    return task.result?.state === "fail" && within.length === 0 ? [task.name] : within;
  });
}

// It is the last one of the file, and none of the others runs beside it.
test("the request suite has passed on PostgreSQL 18", ({ task }) => {
  expect(failuresOf(task.file.tasks)).toEqual([]);
  expect(opened).toBeGreaterThan(100);
});
