import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { messageKey } from "../../../domain/events/message-id.ts";
import { ExperimentInput, newExperiment } from "../../../domain/experiments/experiment.ts";
import { cellsContract } from "../cells-contract.ts";
import { keptCellsContract } from "../kept-cells-contract.ts";
import { observationsContract } from "../observations-contract.ts";
import { storageContract } from "../storage-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-storage-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.db`);
};

storageContract("SQLite in memory", async () => openSqlite(":memory:"));
cellsContract("SQLite in memory", async () => openSqlite(":memory:"));
observationsContract("SQLite in memory", async () => openSqlite(":memory:"));
storageContract("SQLite in a file", async () => openSqlite(newFile()));
cellsContract("SQLite in a file", async () => openSqlite(newFile()));
keptCellsContract("SQLite", async () => {
  const file = newFile();
  return [openSqlite(file), openSqlite(file)];
});

const event = {
  event_type: "click",
  user_id: null,
  session_id: null,
  properties: null,
  created_at: 0,
  occurred_at: 0,
  message_key: messageKey("m"),
};

test("what was stored is there when the file is opened again, in folders made for it", async () => {
  const file = join(folder, "deep", "er", "analytics.db");
  const first = openSqlite(file);
  const [stored] = await first.appendEvents([event]);
  await first.close();
  const second = openSqlite(file);
  expect(await second.appendEvents([event])).toEqual([{ ...stored, duplicate: true }]);
  await second.close();
});

test("a new file and its log can be read by their owner only", async () => {
  const file = newFile();
  const storage = openSqlite(file);
  for (const suffix of ["", "-wal", "-shm"]) expect(statSync(file + suffix).mode & 0o777).toBe(0o600);
  await storage.close();
});

test("two processes may share a file: neither loses or doubles what both write", async () => {
  const file = newFile();
  const [one, two] = [openSqlite(file), openSqlite(file)];
  const answers = await Promise.all([one, two, one, two].map((storage) => storage.appendEvents([event])));
  expect(new Set(answers.map(([{ id }]) => id)).size).toBe(1);
  expect(answers.filter(([{ duplicate }]) => !duplicate)).toHaveLength(1);
  await Promise.all([one.close(), two.close()]);
});

test("an event counts for an experiment that another process has created since the transaction before", async () => {
  const file = newFile();
  const [one, other] = [openSqlite(file), openSqlite(file)];
  const click = { ...event, user_id: "ann", message_key: null };
  // It has read which events count.
  await one.appendEvents([click]);
  const metrics = [{ metric_name: "clicks", event_type: "click" }];
  const input = { test_name: "t", variants: [{ variant_name: "red" }, { variant_name: "blue" }], metrics };
  const experiment = await other.createExperiment(newExperiment(ExperimentInput.parse(input), "salt", 0));
  const { id = 0, variants: [red] = [] } = experiment ?? {};
  await other.assign(id, [{ user_id: "ann", variant_id: red?.id ?? 0, assigned_at: 0 }]);
  await one.appendEvents([click, click]);
  const { cells = [] } = (await other.experimentCells(id)) ?? {};
  expect(cells.map(({ metrics }) => [metrics[0]?.metric_name, metrics[0]?.count])).toEqual([["clicks", 2]]);
  await Promise.all([one.close(), other.close()]);
});
