import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { contractOn } from "./contract-on.ts";
import { installedPgbouncer, startPooler } from "./pooler.ts";
import { bundledPostgres, startPostgres } from "./server.ts";

// Through a transaction pooler consecutive statements of one client may run on different connections.

const found = installedPgbouncer();
// Where CI is set, a missing program is a failure and not a reason to skip.
const skip = !process.env.CI && found === undefined;
if (skip)
  process.stderr.write("The tests of a transaction pooler are skipped: pgbouncer is not installed.\n");
const program = found ?? "pgbouncer";

describe.skipIf(skip)("through a transaction pooler", () => {
  contractOn("PostgreSQL behind PgBouncer", bundledPostgres(), ({ url }) => startPooler(program, url));

  test("a pooler that is killed under load loses no event that was acknowledged, and stores none twice", async () => {
    const server = await startPostgres(bundledPostgres(), { fsync: "off" });
    onTestFinished(server.remove);
    const pooler = await startPooler(program, server.url);
    onTestFinished(pooler.remove);
    const url = await server.newDatabase();
    const storage = await openPostgres(pooler.through(url), { patienceMs: 60_000 });
    onTestFinished(() => storage.close());

    const acknowledged: number[] = [];
    let loading = true;
    const event = {
      event_type: "click",
      user_id: null,
      session_id: null,
      properties: null,
      message_key: null,
    };
    const load = Array.from({ length: 8 }, async () => {
      while (loading) {
        const [{ id }] = await storage.appendEvents([{ ...event, created_at: 0, occurred_at: 0 }]);
        acknowledged.push(id);
      }
    });
    const until = async (count: number): Promise<void> => {
      while (acknowledged.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    for (const count of [200, 400, 600]) {
      await until(count);
      await pooler.kill();
      await pooler.start();
    }
    await until(800);
    loading = false;
    await Promise.all(load);

    const client = new pg.Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    const { rows } = await client.query("select id::int from events order by id");
    expect(rows.map(({ id }) => id)).toEqual(acknowledged.sort((a, b) => a - b));
  });
});
