import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyDatabase } from "../../../adapters/postgres/reports/verification.ts";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { AT, eventAt } from "../question-stories/asked.ts";
import { expectAlike, fillWithSample, shownOf } from "./sample.ts";
import { installedPostgres15, type PostgresServer, startPostgres } from "./server.ts";

// The commands of docs/operations.md, run as they are written there. The binaries that npm brings lack pg_dump.
const binaries = installedPostgres15();

const COMMANDS = /^pg_dump .*\ncreatedb .*\npg_restore .*$/m;

/** The documented commands, with the names of a test server. */
function commandsFor(url: string): string {
  const [documented] = COMMANDS.exec(readFileSync("docs/operations.md", "utf8")) ?? [];
  if (documented === undefined) throw new Error("docs/operations.md describes no backup of PostgreSQL");
  const { hostname, port, username, pathname } = new URL(url);
  const server = `postgres://${username}@${hostname}:${port}`;
  return documented
    .replaceAll("postgres://user:password@host/name", `${server}${pathname}`)
    .replaceAll("postgres://user:password@host/restored", `${server}/restored`)
    .replace("--host=host --username=user", `--host=${hostname} --port=${port} --username=${username}`);
}

describe.runIf(binaries !== undefined)("a backup of PostgreSQL by the documented commands", () => {
  let server: PostgresServer;
  const folder = mkdtempSync(join(tmpdir(), "analytics-dump-"));
  beforeAll(async () => {
    server = await startPostgres(binaries ?? "", { fsync: "off" });
  });
  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true });
  });

  test("made while events arrive, it is restored as one moment, and a server goes on with it", async () => {
    const url = await server.newDatabase();
    const storage = await openPostgres(url);
    const experiment = await fillWithSample(storage);
    await storage.linkUsers({ anonymous_id: "user-0", user_id: "user-3", linked_at: AT });
    await storage.eraseUser({ user_id: "user-7", receipt: "receipt", requested_at: AT });
    const shown = await shownOf(storage, experiment);
    const before = (await storage.eventTypes()).value.reduce((sum, { count }) => sum + count, 0);

    let stored = before;
    let isDone = false;
    const storing = (async () => {
      while (!isDone) {
        await storage.appendEvents([eventAt(stored, "meanwhile")]);
        stored += 1;
      }
    })();
    await promisify(execFile)("sh", ["-ec", commandsFor(url)], {
      cwd: folder,
      env: { ...process.env, PATH: `${binaries}:${process.env.PATH}` },
    }).finally(() => {
      isDone = true;
    });
    await storing;
    await storage.close();

    const restoredUrl = url.replace(/[^/]*$/, "restored");
    const restored = await openPostgres(restoredUrl);
    const { value, recomputed } = await restored.eventTypes({ verify: true });
    expect(value).toEqual(recomputed);
    const after = value.reduce((sum, { count }) => sum + count, 0);
    expect(after).toBeGreaterThanOrEqual(before);
    expect(after).toBeLessThanOrEqual(stored);
    expectAlike(await shownOf(restored, experiment), shown);
    expect((await restored.findPerson("user-0")).person_id).toBe("user-3");
    expect(await restored.listErasures({ limit: 9 })).toMatchObject([{ receipt: "receipt" }]);
    const [{ id }] = await restored.appendEvents([eventAt(0, "afterwards")]);
    const [newest] = await restored.listEvents({
      event_types: ["afterwards"],
      where: [],
      from: 0,
      to: Number.MAX_SAFE_INTEGER,
      limit: 1,
    });
    expect(newest?.id).toBe(id);
    await restored.close();
    expect(await verifyDatabase(restoredUrl, {}, () => {})).toMatchObject({ all: 0 });
  }, 180_000);
});
