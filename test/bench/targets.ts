import { FEW_VALUES, MANY_VALUES } from "./operations/results.ts";
import { BARE_BATCHES, BARE_EVENTS, KEPT_BATCHES, KEPT_EVENTS } from "./operations/upkeep.ts";
import { type Measured, ratioOf, spreadOf } from "./samples.ts";

/** What was measured, by the name of the operation. */
export type All = ReadonlyMap<string, Measured>;

interface Target {
  readonly what: string;
  readonly unit: "×" | "MB";
  /** Not less than this, or not more. */
  readonly least?: number;
  readonly most?: number;
  readonly measure: (all: All) => number | undefined;
}

const EVERYTHING_ON = "ours, with message ids";

const ratio =
  (operation: string, one: string, other: string) =>
  (all: All): number | undefined =>
    ratioOf(all.get(operation) ?? new Map(), one, other)?.median;

const memory = (all: All): number | undefined => {
  const starts = all.get("start")?.get("ours");
  return starts && spreadOf(starts.map((sample) => sample.memory ?? Number.NaN)).median;
};

const TARGETS: readonly Target[] = [
  { what: "one event / hello", unit: "×", least: 0.6, measure: ratio("event", EVERYTHING_ON, "hello") },
  {
    what: "one event / append log",
    unit: "×",
    least: 0.75,
    measure: ratio("event", EVERYTHING_ON, "append log"),
  },
  {
    what: "one event / serverless-offline hello",
    unit: "×",
    least: 5,
    measure: ratio("event", EVERYTHING_ON, "serverless-offline hello"),
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
    least: 1,
    measure: ratio("batch", EVERYTHING_ON, "PostgreSQL, with message ids"),
  },
  { what: "assign, new user / hello", unit: "×", least: 0.55, measure: ratio("assign-new", "ours", "hello") },
  {
    what: "assign, known user / hello",
    unit: "×",
    least: 0.55,
    measure: ratio("assign-known", "ours", "hello"),
  },
  { what: "track / hello", unit: "×", least: 0.6, measure: ratio("track", EVERYTHING_ON, "hello") },
  {
    what: "results, time at 1,000,000 values / at 1,000",
    unit: "×",
    most: 2,
    measure: ratio("results", FEW_VALUES, MANY_VALUES),
  },
  {
    what: "batches with all that questions need / with nothing kept",
    unit: "×",
    least: 0.8,
    measure: ratio("upkeep", KEPT_BATCHES, BARE_BATCHES),
  },
  {
    what: "one event with all that questions need / with nothing kept",
    unit: "×",
    least: 0.8,
    measure: ratio("upkeep", KEPT_EVENTS, BARE_EVENTS),
  },
  { what: "start to first answer / hello", unit: "×", most: 3, measure: ratio("start", "hello", "ours") },
  { what: "idle memory", unit: "MB", most: 90, measure: memory },
];

function reached({ least, most }: Target, value: number): string {
  const good = least !== undefined ? value >= least : value <= (most ?? 0);
  return good ? "reached" : "MISSED";
}

/** A row for each target whose operation was measured. */
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
