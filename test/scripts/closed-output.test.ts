import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, expect, inject, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "analytics-output-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cli = join(inject("project"), "dist/cli.mjs");

/** Runs a command whose output nobody reads, and reports its exit status and its complaints. */
async function withoutReader(...args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env: { PATH: process.env.PATH } });
  child.stdout.destroy();
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const [status] = await once(child, "close");
  return { status, complaints };
}

test.each([[["--help"]], [["--version"]], [["keys"]], [["serve", "--help"]]])(
  "%j ends quietly when nobody reads its output",
  async (args) => {
    expect(await withoutReader(...args)).toEqual({ status: 0, complaints: "" });
  },
);

test("a command does its work when nobody reads its output", async () => {
  const { status, complaints } = await withoutReader("demo", "--events", "2000", "--users", "50");
  expect(status).toBe(0);
  expect(complaints).not.toContain("EPIPE");
  const db = new Sqlite(join(folder, "data/analytics.db"), { readonly: true });
  expect(db.prepare("select count(*) from events").pluck().get()).toBeGreaterThan(1_000);
  db.close();
});
