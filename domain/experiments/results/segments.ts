import { z } from "zod";
import type { Instant } from "../../time.ts";
import type { Cell, ExperimentCells } from "../cells.ts";
import type { Experiment } from "../experiment.ts";
import { addUser, contributionsOf, metricSumsOf, noSums, type Sums, type UserTotal } from "../user-total.ts";
import { MetricResult, type Question, resultsOf } from "./results.ts";

/** The value of a property that a user had when they were assigned. */
export type SegmentValue = string | number | boolean;

/** One user of a segment, with their totals of each metric. */
export interface SegmentUser {
  readonly user_id: string;
  readonly variant_id: number;
  readonly period: number;
  readonly value: SegmentValue;
  readonly totals: readonly { readonly metric_name: string; readonly total: UserTotal }[];
}

/** The property among the attributes that were sent with an assignment, as JSON; undefined where it is not among them. */
export function segmentValueOf(attributes: string, property: string): SegmentValue | undefined {
  const known: Record<string, unknown> = JSON.parse(attributes);
  const value = Object.hasOwn(known, property) ? known[property] : undefined;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}

/** Of more users than this the first ones are shown, in the order of their ids. */
export const MAX_SEGMENT_USERS = 200_000;
const MAX_SEGMENTS = 20;

const SegmentVariant = z.strictObject({
  variant_id: z.int(),
  variant_name: z.string(),
  is_control: z.boolean(),
  users: z.int(),
  metrics: z.array(MetricResult.omit({ dropped: true })),
});

/** The results by the values of a property: to look at, and never to decide by. */
export const Segments = z
  .strictObject({
    property: z.string(),
    role: z.literal("exploratory"),
    users: z.int(),
    capped: z.boolean(),
    values_left_out: z.int(),
    values: z.array(
      z.strictObject({
        value: z.union([z.string(), z.number(), z.boolean()]),
        users: z.int(),
        variants: z.array(SegmentVariant),
      }),
    ),
  })
  .meta({ id: "Segments" });
export type Segments = z.infer<typeof Segments>;

interface OpenCell {
  users: number;
  readonly sums: Map<string, Sums>;
}

/** The cells of each segment, filled user by user. */
export class SegmentTable {
  readonly #experiment: Experiment;
  readonly #segments = new Map<SegmentValue, Map<string, OpenCell>>();
  users = 0;

  constructor(experiment: Experiment) {
    this.#experiment = experiment;
  }

  add({ value, variant_id, period, totals }: SegmentUser): void {
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
  get sizes(): readonly { readonly value: SegmentValue; readonly users: number }[] {
    return [...this.#segments]
      .map(([value, cells]) => ({
        value,
        users: [...cells.values()].reduce((sum, { users }) => sum + users, 0),
      }))
      .sort((a, b) => b.users - a.users || (String(a.value) < String(b.value) ? -1 : 1));
  }

  cellsOf(value: SegmentValue): Cell[] {
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
    capped: table.users >= MAX_SEGMENT_USERS,
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
