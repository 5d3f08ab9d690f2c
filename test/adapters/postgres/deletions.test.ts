import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { openPostgres } from "../../../adapters/postgres/storage.ts";
import { ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { bundledPostgres, type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres(bundledPostgres(), { fsync: "off" });
});
afterAll(() => server.remove());

const USERS = 12_000;
const TABLES = [
  "ab_tests",
  "ab_variants",
  "ab_assignments",
  "ab_metrics",
  "ab_metric_messages",
  "ab_observations",
  "ab_cell_users",
  "ab_cell_sums",
  "ab_deletions",
];

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function rowsOf(client: pg.Client): Promise<Record<string, number>> {
  const counts = TABLES.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  return (await client.query(`select ${counts.join(", ")}`)).rows[0];
}

const EMPTY = Object.fromEntries(TABLES.map((table) => [table, 0]));

/** A database with one experiment that thousands of users are in, and one that shares them. */
async function openFull() {
  const url = await server.newDatabase();
  const storage = await openPostgres(url);
  const client = await connected(url);
  const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
  const create = (test_name: string) =>
    storage.createExperiment(newExperiment(ExperimentInput.parse({ test_name, variants }), "salt", 0));
  const [full, other] = [await create("full"), await create("other")];
  for (const experiment of [full, other]) {
    await client.query(
      `insert into ab_assignments(user_id, test_id, variant_id)
       select 'user-' || n, $1, $2 from generate_series(1, ${USERS}) n`,
      [experiment?.id, experiment?.variants[0]?.id],
    );
  }
  await client.query(
    `insert into ab_metrics(test_id, variant_id, metric_name, value, user_id)
     select $1, $2, 'revenue', 1, 'user-' || n from generate_series(1, ${USERS}) n`,
    [full?.id, full?.variants[0]?.id],
  );
  const value = { metric_name: "revenue", value: 1, created_at: 0, occurred_at: 0 };
  await storage.appendMetrics(
    full?.id ?? 0,
    ["user-1", "user-2"].map((user_id) => ({ ...value, user_id, message_key: Buffer.alloc(16, user_id) })),
  );
  return { url, storage, client, id: full?.id ?? 0, otherId: other?.id ?? 0 };
}

test("a deletion is answered before the rows of its users are gone, and they are removed soon after", async () => {
  const { storage, client, id, otherId } = await openFull();
  onTestFinished(() => storage.close());
  expect(await storage.deleteExperiment(id)).toBe(true);
  const { ab_assignments, ab_deletions } = await rowsOf(client);
  expect(ab_deletions).toBe(1);
  expect(ab_assignments).toBeGreaterThan(USERS);
  const left = { ...EMPTY, ab_tests: 1, ab_variants: 2, ab_assignments: USERS };
  await vi.waitFor(async () => expect(await rowsOf(client)).toEqual(left), { timeout: 30_000 });
  expect((await client.query("select distinct test_id::int from ab_assignments")).rows).toEqual([
    { test_id: otherId },
  ]);
});

test("a deletion that ends with its process goes on in the next one", async () => {
  const { url, storage, client, id } = await openFull();
  await storage.deleteExperiment(id);
  await storage.close();
  expect((await rowsOf(client)).ab_deletions).toBe(1);
  const next = await openPostgres(url);
  onTestFinished(() => next.close());
  expect(await next.findAssignment(id, "user-1")).toBeUndefined();
  await vi.waitFor(async () => expect((await rowsOf(client)).ab_deletions).toBe(0), { timeout: 30_000 });
  expect((await rowsOf(client)).ab_assignments).toBe(USERS);
});

test("two processes that sweep the same experiment do not wait for each other, and leave nothing", async () => {
  const { url, storage, client, id } = await openFull();
  onTestFinished(() => storage.close());
  const others = await Promise.all([openPostgres(url), openPostgres(url)]);
  onTestFinished(async () => void (await Promise.all(others.map((other) => other.close()))));
  await Promise.all([storage, ...others].map((one) => one.deleteExperiment(id)));
  await vi.waitFor(async () => expect((await rowsOf(client)).ab_deletions).toBe(0), { timeout: 30_000 });
  expect((await rowsOf(client)).ab_assignments).toBe(USERS);
});

interface Column {
  readonly table_name: string;
  readonly column_name: string;
  readonly data_type: string;
}

const NEEDED = `
  select c.table_name, c.column_name, c.data_type from information_schema.columns c
  join information_schema.columns t on t.table_name = c.table_name and t.column_name = 'test_id'
  where c.table_schema = 'public' and t.table_schema = 'public' and c.table_name <> 'ab_deletions'
    and (c.column_name = 'test_id' or c.is_nullable = 'NO' and c.column_default is null and c.is_identity = 'NO')
  order by c.table_name, c.ordinal_position`;

test("no table keeps a row of an experiment that was deleted", async () => {
  const { storage, client, id } = await openFull();
  onTestFinished(() => storage.close());
  const { rows } = await client.query<Column>(NEEDED);
  const { rows: variants } = await client.query(
    `select min(id) as id from ab_variants where test_id = ${id}`,
  );
  const anyValue = ({ column_name, data_type }: Column) => {
    if (column_name === "test_id") return id;
    if (column_name === "variant_id") return variants[0].id;
    if (data_type === "bytea") return "'x'::bytea";
    if (data_type === "boolean") return "true";
    return data_type === "text" ? "'x'" : data_type.startsWith("timestamp") ? "now()" : "7";
  };
  const tables = [...new Set(rows.map(({ table_name }) => table_name))];
  expect(tables).toContain("ab_assignments");
  for (const table of tables) {
    const columns = rows.filter(({ table_name }) => table_name === table);
    const names = columns.map(({ column_name }) => column_name).join(", ");
    await client.query(
      `insert into ${table}(${names}) values (${columns.map(anyValue).join(", ")}) on conflict do nothing`,
    );
  }
  const counts = async () => {
    const found = tables.map(
      (table) => `(select count(*)::int from ${table} where test_id = ${id}) as ${table}`,
    );
    return (await client.query(`select ${found.join(", ")}`)).rows[0];
  };
  expect(Object.values(await counts())).not.toContain(0);
  await storage.deleteExperiment(id);
  const none = Object.fromEntries(tables.map((table) => [table, 0]));
  await vi.waitFor(async () => expect(await counts()).toEqual(none), { timeout: 30_000 });
});
