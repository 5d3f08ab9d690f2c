import { EMPTY_HANDLER } from "./operations/lambda-import.ts";
import { FEW_DAYS, FEW_VALUES, MANY_DAYS, MANY_VALUES } from "./operations/results.ts";
import {
  NO_ROLLUPS_BATCHES,
  NO_ROLLUPS_EVENTS,
  ROLLUPS_BATCHES,
  ROLLUPS_EVENTS,
} from "./operations/upkeep.ts";
import { type Measured, ratioOf, type Sample, spreadOf } from "./samples.ts";

/** Measurements by operation name. */
export type All = ReadonlyMap<string, Measured>;

interface Target {
  readonly what: string;
  readonly unit: "×" | "ms" | "µs" | "MB";
  /** Lower or upper bound of the figure. */
  readonly least?: number;
  readonly most?: number;
  readonly measure: (all: All) => number | undefined;
}

const EVERYTHING_ON = "ours, with message ids";

const ratio =
  (operation: string, one: string, other: string) =>
  (all: All): number | undefined =>
    ratioOf(all.get(operation) ?? new Map(), one, other)?.median;

const cpuRatio =
  (operation: string, one: string) =>
  (all: All): number | undefined =>
    ratioOf(all.get(operation) ?? new Map(), one, "hello", ({ cpu }) => cpu)?.median;

/** Median of a figure of one contender over all rounds. */
const median =
  (operation: string, name: string, figure: (sample: Sample) => number | undefined) =>
  (all: All): number | undefined => {
    const samples = all.get(operation)?.get(name);
    return samples && spreadOf(samples.map((sample) => figure(sample) ?? Number.NaN)).median;
  };

/** Milliseconds of processor time that the import of our functions takes more than that of an empty handler. */
function importOverEmpty(all: All): number | undefined {
  const [ours, empty] = ["ours", EMPTY_HANDLER].map((name) =>
    median("import", name, ({ cpu }) => cpu / 1000)(all),
  );
  return ours === undefined || empty === undefined ? undefined : ours - empty;
}

const [release = 0] = process.versions.node.split(".").map(Number);

const TARGETS: readonly Target[] = [
  { what: "one event, CPU / hello", unit: "×", most: 3.2, measure: cpuRatio("event", EVERYTHING_ON) },
  {
    what: "one event / append log",
    unit: "×",
    least: 0.75,
    measure: ratio("event", EVERYTHING_ON, "append log"),
  },
  {
    what: "one event / append log, 128 clients",
    unit: "×",
    least: 0.8,
    measure: ratio("event-128", EVERYTHING_ON, "append log"),
  },
  {
    what: "one event, p99 at 128 clients",
    unit: "ms",
    most: 20,
    measure: median("event-128", EVERYTHING_ON, ({ p99 }) => p99),
  },
  {
    what: "batch of 1,000 / insert loop",
    unit: "×",
    least: 0.5,
    measure: ratio("batch", EVERYTHING_ON, "insert loop, with message ids"),
  },
  {
    what: "batch of 1,000 / PostgreSQL",
    unit: "×",
    least: 1.3,
    measure: ratio("batch", EVERYTHING_ON, "PostgreSQL, with message ids"),
  },
  {
    what: "assign, known user / hello",
    unit: "×",
    least: 0.45,
    measure: ratio("assign-known", "ours", "hello"),
  },
  {
    what: "assign, known user, CPU / hello",
    unit: "×",
    most: 2.4,
    measure: cpuRatio("assign-known", "ours"),
  },
  {
    what: "assign, new user / hello",
    unit: "×",
    least: 0.32,
    measure: ratio("assign-new", "ours", "hello"),
  },
  { what: "track / hello", unit: "×", least: 0.32, measure: ratio("track", EVERYTHING_ON, "hello") },
  {
    what: "results, time at 1,000,000 values / at 1,000",
    unit: "×",
    most: 1.2,
    measure: ratio("results", FEW_VALUES, MANY_VALUES),
  },
  {
    what: "timeline, time at 1,000,000 values / at 1,000",
    unit: "×",
    most: 1.2,
    measure: ratio("results", FEW_DAYS, MANY_DAYS),
  },
  {
    what: "results, CPU per request",
    unit: "µs",
    most: 120,
    measure: median("results", MANY_VALUES, ({ cpu }) => cpu),
  },
  {
    what: "batches with rollups / without",
    unit: "×",
    least: 0.9,
    measure: ratio("upkeep", ROLLUPS_BATCHES, NO_ROLLUPS_BATCHES),
  },
  {
    what: "one event with rollups / without",
    unit: "×",
    least: 0.9,
    measure: ratio("upkeep", ROLLUPS_EVENTS, NO_ROLLUPS_EVENTS),
  },
  { what: "start to first answer / hello", unit: "×", most: 2.5, measure: ratio("start", "hello", "ours") },
  {
    what: "idle memory",
    unit: "MB",
    most: 80,
    measure: median("start", "ours", ({ memory }) => memory),
  },
  {
    what: "import on Lambda over an empty handler, CPU",
    unit: "ms",
    most: release < 24 ? 65 : 60,
    measure: importOverEmpty,
  },
];

function reached({ least, most }: Target, value: number): string {
  const good = least !== undefined ? value >= least : value <= (most ?? 0);
  return good ? "reached" : "MISSED";
}

/** One row for each target of a measured operation. */
export function targetRows(all: All): string[][] {
  return TARGETS.flatMap((target) => {
    const value = target.measure(all);
    if (value === undefined) return [];
    const bound = target.least !== undefined ? `≥ ${target.least}` : `≤ ${target.most}`;
    return [
      [target.what, `${bound} ${target.unit}`, `${value.toFixed(2)} ${target.unit}`, reached(target, value)],
    ];
  });
}
