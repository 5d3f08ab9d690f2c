import { type FactsQuestion, type FactValue, factValueOf } from "../../reports/user-facts.ts";
import { DAY, type Instant } from "../../time.ts";
import type { Cell, ExperimentCells } from "../cells.ts";
import type { Experiment } from "../experiment.ts";
import { addUser, contributionsOf, metricSumsOf, noSums, type Sums, type UserTotal } from "../user-total.ts";
import { type Question, resultsOf } from "./results.ts";
import type { Segments } from "./segment-results.ts";

/** One user of the experiment, with their totals of each metric. */
export interface SegmentUser {
  readonly user_id: string;
  readonly variant_id: number;
  readonly period: number;
  readonly assigned_at: Instant;
  /** The property among the attributes that were sent with the assignment; null where it is not among them. */
  readonly value: FactValue | null;
  readonly totals: readonly { readonly metric_name: string; readonly total: UserTotal }[];
}

/** The property among the attributes that were sent with an assignment, as JSON; null where it is not among them. */
export function segmentValueOf(attributes: string | null, property: string): FactValue | null {
  const known: Record<string, unknown> = attributes === null ? {} : JSON.parse(attributes);
  return (Object.hasOwn(known, property) ? factValueOf(known[property]) : undefined) ?? null;
}

const EVENT_DAYS = 90;

/** Asks for the property as the users' last events before their assignments have it. */
export const segmentQuestion = (property: string, users: readonly SegmentUser[]): FactsQuestion => ({
  kind: "last_value",
  property,
  users: users.map(({ user_id, assigned_at }) => ({
    user_id,
    from: assigned_at - EVENT_DAYS * DAY,
    to: assigned_at,
  })),
});

/** Of more users than this the first ones are looked at, in the order of their ids. */
export const MAX_SEGMENT_USERS = 200_000;
const MAX_SEGMENTS = 20;

interface OpenCell {
  users: number;
  readonly sums: Map<string, Sums>;
}

/** The cells of each segment, filled user by user. */
export class SegmentTable {
  readonly #experiment: Experiment;
  readonly #segments = new Map<FactValue, Map<string, OpenCell>>();
  users = 0;
  /** Whether there are users that were not looked at. */
  capped = false;

  constructor(experiment: Experiment) {
    this.#experiment = experiment;
  }

  add(value: FactValue, { variant_id, period, totals }: SegmentUser): void {
    const cells = this.#segments.get(value) ?? new Map<string, OpenCell>();
    this.#segments.set(value, cells);
    const place = `${variant_id} ${period}`;
    const cell = cells.get(place) ?? { users: 0, sums: new Map() };
    cells.set(place, cell);
    cell.users += 1;
    this.users += 1;
    for (const { metric_name, total } of totals) {
      const [own] = contributionsOf(this.#experiment.metrics, metric_name);
      if (own === undefined) continue;
      const before = cell.sums.get(metric_name) ?? noSums;
      cell.sums.set(metric_name, addUser(before, own.metric, total));
    }
  }

  /** The segments with their numbers of users, the largest first. */
  get sizes(): readonly { readonly value: FactValue; readonly users: number }[] {
    return [...this.#segments]
      .map(([value, cells]) => ({
        value,
        users: [...cells.values()].reduce((sum, { users }) => sum + users, 0),
      }))
      .sort((a, b) => b.users - a.users || (String(a.value) < String(b.value) ? -1 : 1));
  }

  cellsOf(value: FactValue): Cell[] {
    return [...(this.#segments.get(value) ?? [])].map(([place, { users, sums }]) => {
      const [variant_id = 0, period = 0] = place.split(" ").map(Number);
      const metrics = [...sums].map(([metric_name, sum]) => {
        const definition = this.#experiment.metrics.find((metric) => metric.metric_name === metric_name);
        return metricSumsOf(definition, metric_name, sum);
      });
      return { variant_id, period, users, metrics };
    });
  }
}

/** The results of each segment. No metric decides in a segment: each is compared at the level of an exploratory one. */
export function segmentsOf(
  experiment: Experiment,
  cells: ExperimentCells,
  table: SegmentTable,
  property: string,
  now: Instant,
  question: Question,
): Segments {
  const exploring: Experiment = {
    ...experiment,
    metrics: experiment.metrics.map((metric) => ({ ...metric, role: "exploratory", margin: undefined })),
  };
  const { sizes } = table;
  return {
    property,
    role: "exploratory",
    users: table.users,
    capped: table.capped,
    values_left_out: Math.max(0, sizes.length - MAX_SEGMENTS),
    values: sizes.slice(0, MAX_SEGMENTS).map(({ value, users }) => {
      const own = { ...cells, cells: table.cellsOf(value), raw: [] };
      const { results } = resultsOf(exploring, own, now, question);
      return {
        value,
        users,
        variants: results.map(({ variant_id, variant_name, is_control, users: size, metrics }) => ({
          variant_id,
          variant_name,
          is_control,
          users: size,
          metrics: metrics.map(({ dropped: _, ...metric }) => metric),
        })),
      };
    }),
  };
}
