import { ExperimentStatus } from "../../../domain/experiments/experiment.ts";
import { isOpen } from "../../../domain/experiments/lifecycle.ts";
import type { NewMetric } from "../../../domain/experiments/metric.ts";
import type { NotCounted } from "../../../domain/experiments/user-total.ts";
import {
  type AppendedMetric,
  answersFor,
  type ExperimentStore,
  type MetricStore,
} from "../../../domain/storage.ts";
import type { Database } from "../database.ts";
import { createIds } from "../ids.ts";
import { createCellReader } from "./cells.ts";
import { contributionColumns } from "./contributions.ts";
import { type Definitions, readDefinitions } from "./definitions.ts";
import { anySlice } from "./expressions.ts";
import { createSegmentReader } from "./segment-users.ts";
import { createObservationReader } from "./user-observations.ts";
import { STORE_VALUES } from "./value-statements.ts";

interface Value extends NewMetric {
  readonly test_id: number;
  readonly id: number;
}

const FIND_MESSAGES = `
  select message_id, test_id, metric_id, variant_id from ab_metric_messages
  where (message_id, test_id) in (select * from unnest($1::bytea[], $2::bigint[]))`;

interface MessageRow {
  readonly message_id: Uint8Array;
  readonly test_id: number;
  readonly metric_id: number;
  readonly variant_id: number;
}

const OPEN = ExperimentStatus.options.filter(isOpen);

const textOf = (test_id: number, key: Uint8Array): string => `${test_id} ${Buffer.from(key).toString("hex")}`;

interface Inserted {
  readonly id: number;
  readonly variant_id: number;
  readonly stored: boolean;
  /** Whether the user's total stays in range with it. */
  readonly fits: boolean;
  readonly reason: NotCounted | "tester" | null;
}

/** One row that says no more than the revision where no value has a user of its experiment. */
type InsertedRow = { readonly revision: number } & (Inserted | { readonly id: null });

const isInserted = (row: InsertedRow): row is Inserted & { readonly revision: number } => row.id !== null;

function appendedOf(
  { id, test_id, message_key }: Value,
  row: Inserted | undefined,
  messages: ReadonlyMap<string, MessageRow>,
): AppendedMetric {
  if (row === undefined) return { kind: "not_assigned" };
  const { variant_id, reason } = row;
  // Without a key only its own id can have refused it: the statement ran twice, and had stored it.
  const first = row.stored || message_key === null ? undefined : messages.get(textOf(test_id, message_key));
  if (first === undefined || first.metric_id === id) {
    return row.fits
      ? { kind: "stored", id, variant_id, duplicate: false, reason }
      : { kind: "total_out_of_range" };
  }
  return { kind: "stored", id: first.metric_id, variant_id: first.variant_id, duplicate: true, reason: null };
}

export function createMetricStore(
  database: Database,
  { findExperiment }: Pick<ExperimentStore, "findExperiment">,
): MetricStore {
  const ids = createIds(database, "metric_ids");
  const reader = createCellReader(database.query);

  let definitions: Definitions | undefined;

  const insert = (values: readonly Value[], { revision, metrics }: Definitions) =>
    database.query<InsertedRow>(STORE_VALUES, [
      values.map(({ id }) => id),
      values.map(({ test_id }) => test_id),
      values.map(({ user_id }) => user_id),
      values.map(({ metric_name }) => metric_name),
      values.map(({ value }) => value),
      values.map(({ created_at }) => created_at),
      values.map(({ occurred_at }) => occurred_at),
      values.map(({ occurred_at, latest_at = occurred_at }) => latest_at),
      values.map(({ message_key }) => message_key && Buffer.from(message_key)),
      OPEN,
      anySlice(),
      revision,
      ...contributionColumns(
        values.map(({ id, ...value }) => ({ ...value, value_id: id })),
        metrics,
      ),
    ]);

  async function insertUpToDate(values: readonly Value[]): Promise<Inserted[]> {
    for (;;) {
      definitions ??= await readDefinitions(database.query);
      const { revision } = definitions;
      const rows = await insert(values, definitions);
      if (rows[0]?.revision === revision) return rows.filter(isInserted);
      definitions = undefined;
    }
  }

  async function messagesOf(values: readonly Value[]): Promise<ReadonlyMap<string, MessageRow>> {
    const withKey = values.flatMap(({ test_id, message_key }) =>
      message_key ? [{ test_id, message_key }] : [],
    );
    if (withKey.length === 0) return new Map();
    const rows = await database.query<MessageRow>(FIND_MESSAGES, [
      withKey.map(({ message_key }) => Buffer.from(message_key)),
      withKey.map(({ test_id }) => test_id),
    ]);
    return new Map(rows.map((row) => [textOf(row.test_id, row.message_id), row]));
  }

  async function appendAll(metrics: readonly Omit<Value, "id">[]): Promise<AppendedMetric[]> {
    const fresh = await ids.take(metrics.length);
    const values = metrics.map((metric, index) => ({ ...metric, id: fresh[index] ?? 0 }));
    const assigned = new Map((await insertUpToDate(values)).map((row) => [row.id, row]));
    const refused = values.filter(({ id }) => assigned.get(id)?.stored === false);
    const messages = await messagesOf(refused);
    return values.map((value) => appendedOf(value, assigned.get(value.id), messages));
  }

  const appending = database.grouped(appendAll);
  return {
    appendMetrics: async <const T extends readonly NewMetric[]>(test_id: number, metrics: T) => {
      const appended = await appending(metrics.map((metric) => ({ test_id, ...metric })));
      return answersFor(metrics, appended);
    },
    experimentCells: async (testId) => {
      const experiment = await findExperiment(testId);
      return experiment && reader.ofExperiment(experiment);
    },
    dayCells: async (testId) => {
      const experiment = await findExperiment(testId);
      return experiment === undefined ? [] : reader.byDay(experiment);
    },
    userObservations: createObservationReader(database, findExperiment),
    segmentUsers: createSegmentReader(database, findExperiment),
  };
}
