import { setTimeout as sleep } from "node:timers/promises";
import type { Cell, MeasuredExperiment, MetricSums, RawValues } from "../../domain/experiments/cells.ts";
import type { Experiment } from "../../domain/experiments/experiment.ts";
import { SegmentTable } from "../../domain/experiments/results/segments.ts";
import type { PersonValue } from "../../domain/people/personal-data.ts";
import type { Storage } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { Refused } from "./command.ts";

// Computes the tallies of experiments again, and compares them: cells from the totals of each user, cells from those of each
// day, and the numbers of stored values from the values.

const USERS_A_PAGE = 1_000;
const POLL_MS = 100;

/** Figures by what they are. A figure of 0 may be missing. */
type Figures = Map<string, number>;

const EVERYBODY = "everybody";
// Sums of millions of values agree far better than this; a user too many does not.
const ROUNDING = 1e-9;

const isSame = (a: number, b: number): boolean =>
  Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));

function compare(where: string, stored: Figures, computed: Figures): string[] {
  return [...new Set([...stored.keys(), ...computed.keys()])].flatMap((what) => {
    const [a, b] = [stored.get(what) ?? 0, computed.get(what) ?? 0];
    return isSame(a, b) ? [] : [`${where}: ${what}: ${a} in the tallies, ${b} computed`];
  });
}

const add = (figures: Figures, what: string, number: number): void =>
  void figures.set(what, (figures.get(what) ?? 0) + number);

const sumsOf = ({ covariate, denominator, metric_name: _, ...own }: MetricSums) => ({
  ...own,
  ...covariate,
  ...denominator,
});

function figuresOf({ variants }: Experiment, cells: readonly Cell[]): Figures {
  const names = new Map(variants.map(({ id, variant_name }) => [id, variant_name]));
  const figures: Figures = new Map();
  for (const { variant_id, period, users, metrics } of cells) {
    const cell = `${names.get(variant_id)}, weights ${period + 1}`;
    add(figures, `${cell}: users`, users);
    for (const metric of metrics) {
      for (const [sum, value] of Object.entries(sumsOf(metric)))
        add(
          figures,
          `${cell}: ${metric.metric_name}: ${sum}`,
          typeof value === "number" ? value : value.high,
        );
    }
  }
  return figures;
}

async function cellsOfUsers(storage: Storage, experiment: Experiment): Promise<readonly Cell[]> {
  const table = new SegmentTable(experiment);
  let after: string | null = null;
  do {
    const page = await storage.segmentUsers(experiment.id, "", { after, limit: USERS_A_PAGE });
    for (const user of page.users) table.add(EVERYBODY, user);
    after = page.next;
  } while (after !== null);
  return table.cellsOf(EVERYBODY);
}

const nameOf = ({ id, test_name }: Experiment): string => `experiment ${id} (${test_name})`;

/** The cells once nothing of an upgrade or a later metric is left to be tallied. */
async function talliedCells(storage: Storage, id: number): Promise<MeasuredExperiment | undefined> {
  for (;;) {
    const measured = await storage.experimentCells(id);
    if (measured === undefined || measured.pending_rows === 0) return measured;
    await sleep(POLL_MS);
  }
}

async function cellDifferences(
  storage: Storage,
  { experiment, ...cells }: MeasuredExperiment,
): Promise<string[]> {
  const days = figuresOf(experiment, await storage.dayCells(experiment.id));
  const users = figuresOf(experiment, await cellsOfUsers(storage, experiment));
  const after = await storage.experimentCells(experiment.id);
  if (JSON.stringify(after) !== JSON.stringify({ experiment, ...cells }))
    throw new Refused(`${nameOf(experiment)} changes while it is compared: stop the server first.`);
  const stored = figuresOf(experiment, cells.cells);
  return [
    ...compare(nameOf(experiment), stored, users),
    ...compare(`${nameOf(experiment)}, all days together`, days, users),
  ];
}

/** Numbers of stored values. */
interface ValueCount {
  stored: number;
  /** Those of users of the experiment, and those without a user. The others belong to testers. */
  ofMembers: number;
  /** Those of members from before their assignment. A member may have been a tester then. */
  early: number;
}

const keyOf = (test_id: number, variant: string, metric: string): string =>
  JSON.stringify([test_id, variant, metric]);

/** Counts values that may or must be in the tallies: those of testers are stored, but not tallied. */
class ValueCounts {
  readonly #storage: Storage;
  readonly #counts = new Map<string, ValueCount>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async add(values: readonly PersonValue[]): Promise<void> {
    for (const { test_id, user_id, variant, metric_name, occurred_at } of values) {
      const key = keyOf(test_id, variant, metric_name);
      const count = this.#counts.get(key) ?? { ...NONE };
      this.#counts.set(key, count);
      const assigned = user_id === null ? occurred_at : await this.#assigned(test_id, user_id);
      count.stored += 1;
      count.ofMembers += Number(assigned !== undefined);
      count.early += Number(assigned !== undefined && occurred_at < assigned);
    }
  }

  readonly #known = new Map<string, Promise<Instant | undefined>>();

  /** When the user was assigned; undefined for a tester. */
  #assigned(test_id: number, user_id: string): Promise<Instant | undefined> {
    const key = JSON.stringify([test_id, user_id]);
    const known = this.#known.get(key) ?? this.#find(test_id, user_id);
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(key, known);
    return known;
  }

  async #find(test_id: number, user_id: string): Promise<Instant | undefined> {
    const found = await this.#storage.findAssignment(test_id, user_id);
    return found?.forced === false ? found.assigned_at : undefined;
  }

  differences(experiment: Experiment, raw: readonly RawValues[]): string[] {
    const { id, variants, metrics } = experiment;
    // A metric of events has no stored values of its own.
    const ofEvents = metrics.flatMap(({ metric_name, event_type }) => (event_type ? [metric_name] : []));
    return variants.flatMap(({ id: variant_id, variant_name }) => {
      const own = new Map(
        raw.filter((row) => row.variant_id === variant_id).map((row) => [row.metric_name, row]),
      );
      const names = new Set([...own.keys(), ...this.#namesOf(id, variant_name)]);
      for (const name of ofEvents) names.delete(name);
      return [...names].flatMap((name) => {
        const { stored, ofMembers, early } = this.#counts.get(keyOf(id, variant_name, name)) ?? NONE;
        const row = own.get(name);
        const tallied = talliedOf(row);
        const ofTesters = Math.max(0, early - (row?.dropped.before_assignment ?? 0));
        if (tallied >= ofMembers - ofTesters && tallied <= ofMembers) return [];
        const what = `${variant_name}: values of ${name}`;
        return [`${nameOf(experiment)}: ${what}: ${tallied} in the tallies, ${stored} stored`];
      });
    });
  }

  #namesOf(id: number, variant: string): string[] {
    return [...this.#counts.keys()].flatMap((key) => {
      const [test_id, variant_name, metric_name] = JSON.parse(key) as [number, string, string];
      return test_id === id && variant_name === variant ? [metric_name] : [];
    });
  }
}

const talliedOf = (raw: RawValues | undefined): number =>
  raw === undefined ? 0 : raw.count + raw.dropped.after_stop + raw.dropped.out_of_range;

const NONE: Readonly<ValueCount> = { stored: 0, ofMembers: 0, early: 0 };
const MOST_REMEMBERED = 100_000;

async function* experimentsOf(storage: Storage): AsyncGenerator<Experiment> {
  let before: number | undefined;
  for (;;) {
    const page = await storage.listExperiments({ limit: 100, before });
    yield* page;
    before = page.at(-1)?.id;
    if (before === undefined) return;
  }
}

/** The differences between the tallies of all experiments and what they are made of. */
export async function verifyTallies(
  storage: Storage,
  onProgress: (experiments: number) => void,
): Promise<string[]> {
  const values = await countValues(storage);
  const differences: string[] = [];
  let done = 0;
  for await (const { id } of experimentsOf(storage)) {
    const measured = await talliedCells(storage, id);
    if (measured === undefined) continue;
    differences.push(...(await cellDifferences(storage, measured)));
    differences.push(...values.differences(measured.experiment, measured.raw));
    done += 1;
    onProgress(done);
  }
  return differences;
}

async function countValues(storage: Storage): Promise<ValueCounts> {
  const counts = new ValueCounts(storage);
  let after: number | undefined;
  do {
    const slice = await storage.listValues({ after });
    await counts.add(slice.values);
    after = slice.through;
  } while (after !== undefined);
  return counts;
}
