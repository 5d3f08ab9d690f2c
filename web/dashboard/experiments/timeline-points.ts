import type { Timeline } from "../../../domain/experiments/results/timeline.ts";
import {
  counted,
  day,
  difference,
  differenceRange,
  type MetricKind,
  scaleOf,
  tickNumber,
} from "../parts/format.ts";
import type { TimePlotData } from "../plots/time-plot-data.ts";

/** One variant and metric at the end of each day. */
export function pointsOf({ days }: Timeline, variantName: string, metricName: string) {
  return days.map(({ day: date, variants }) => {
    const variant = variants.find(({ variant_name }) => variant_name === variantName);
    const metric = variant?.metrics.find(({ metric_name }) => metric_name === metricName);
    return {
      date,
      users: variants.reduce((sum, { users }) => sum + users, 0),
      difference: metric?.difference ?? null,
      interval: metric?.interval ?? null,
    };
  });
}
export type Point = ReturnType<typeof pointsOf>[number];

// The server closes its days at midnight UTC.
export const ZONE = "UTC";
const timeOf = ({ date }: Point): number => Date.parse(`${date}T00:00:00Z`);

/** The days of a timeline, which has at least one, as a range of times. */
export const rangeOf = (points: readonly Point[]) => ({
  from: `${points[0]?.date}T00:00:00.000Z`,
  to: `${points.at(-1)?.date}T23:59:59.999Z`,
});

export const estimateOf = (kind: MetricKind, point: Point): string =>
  point.difference === null ? "no difference known yet" : difference(kind, point.difference);

export const intervalOf = (kind: MetricKind, { interval }: Point): string =>
  interval === null ? "too few users" : differenceRange(kind, interval);

export const describe = (kind: MetricKind, point: Point): string =>
  `${day(point.date, ZONE)}: ${estimateOf(kind, point)}, interval ${intervalOf(kind, point)}, ${counted(point.users, "user")} in total`;

/** The line and its band in the displayed unit. */
export function dataOf(points: readonly Point[], kind: MetricKind, variant: string): TimePlotData {
  const factor = scaleOf(kind);
  const scaled = (value: number | null | undefined) => (value == null ? null : factor * value);
  return {
    times: points.map(timeOf),
    zone: ZONE,
    lines: [{ label: variant, values: points.map((point) => scaled(point.difference)) }],
    unfinished: [],
    band: {
      low: points.map(({ interval }) => scaled(interval?.[0])),
      high: points.map(({ interval }) => scaled(interval?.[1])),
    },
    zero: "line",
    formatTick: tickNumber,
  };
}
