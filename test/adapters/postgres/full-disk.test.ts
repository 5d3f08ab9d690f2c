import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { Failure } from "../../../domain/failure.ts";
import { bundledPostgres, databaseUser, startPostgres } from "./server.ts";

function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/** A disk of a few megabytes that PostgreSQL may write to. */
function smallDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), "analytics-small-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]);
  onTestFinished(() => {
    execFileSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  });
  const space = join(folder, "space");
  mkdirSync(space);
  const user = databaseUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  if (user !== undefined) chownSync(space, user.uid, user.gid);
  return space;
}

describe.skipIf(!canMount())("on a disk without room", () => {
  test("events are refused as unavailable, and the health says full", async () => {
    const space = smallDisk();
    const server = await startPostgres(bundledPostgres(), { fsync: "off" });
    onTestFinished(server.remove);
    const url = await server.newDatabase();
    const storage = await openPostgres(url);
    onTestFinished(() => storage.close());
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`create tablespace small location '${space}'`);
    await client.query("alter table events set tablespace small").finally(() => client.end());

    const event = { event_type: "click", user_id: null, session_id: null, message_key: null };
    // Random, because PostgreSQL compresses long values.
    const properties = JSON.stringify({ filling: randomBytes(900).toString("base64") });
    const some = Array.from({ length: 500 }, () => ({ ...event, properties, created_at: 0, occurred_at: 0 }));
    const fill = async () => {
      for (let batch = 0; batch < 20; batch += 1) await storage.appendEvents(some);
    };
    const failure = await fill().catch((error) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: "unavailable", cause: { code: "53100" } });
    expect(await storage.check()).toEqual({ state: "full", cause: failure, erasuresWaiting: 0 });
  });
});
