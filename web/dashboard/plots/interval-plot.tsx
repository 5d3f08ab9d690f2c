import {
  type Bounds,
  difference,
  differenceRange,
  differenceUnit,
  type MetricKind,
  scaleOf,
  tickNumber,
} from "../parts/format.ts";
import { placeOn, type Scale, type Spread, scaleFor, stretchOn } from "./interval-scale.ts";

/** One variant's difference from the control, in the metric's unit. */
export interface IntervalRow {
  readonly name: string;
  readonly estimate: number;
  readonly interval: Bounds | null;
  /** Colours a row that is judged good or bad. */
  readonly mark: "good" | "bad" | undefined;
}

type Shown = Spread & { readonly estimate: number };

/** Figures in the displayed unit: shares are displayed as percentages. */
export function inShownUnit(
  { estimate, interval }: Pick<IntervalRow, "estimate" | "interval">,
  kind: MetricKind,
): Shown {
  const factor = scaleOf(kind);
  const scaled = (value: number | null) => (value === null ? null : factor * value);
  return {
    estimate: factor * estimate,
    interval: interval === null ? null : [scaled(interval[0]), scaled(interval[1])],
  };
}

interface IntervalPlotProps {
  readonly rows: readonly IntervalRow[];
  readonly kind: MetricKind;
  /** Null where no direction declared. */
  readonly direction: "increase" | "decrease" | null;
  readonly caption: string;
  readonly control: string;
}

const HEIGHT = 40;

// In percent of the width, so that nothing is measured, or redrawn when a phone is turned.
const at = (place: number): string => `${place.toFixed(3)}%`;

interface LineProps {
  /** In the displayed unit. */
  readonly spread: Shown;
  readonly scale: Scale;
  /** In pixels. */
  readonly height: number;
  /** Said by screen readers; left out where text next to the line says the same. */
  readonly label?: string;
}

function Whisker({ scale, interval, height }: { scale: Scale; interval: Bounds; height: number }) {
  const { from, to, opensLow, opensHigh } = stretchOn(scale, interval);
  const [middle, cap] = [height / 2, height / 6];
  const end = (place: number) => <line x1={at(place)} x2={at(place)} y1={middle - cap} y2={middle + cap} />;
  return (
    <g class="whisker">
      <line x1={at(from)} x2={at(to)} y1={middle} y2={middle} />
      {!opensLow && end(from)}
      {!opensHigh && end(to)}
    </g>
  );
}

/** An estimate with its interval, and zero, on a scale. */
export function IntervalLine({ spread: { estimate, interval }, scale, height, label }: LineProps) {
  const zero = at(placeOn(scale, 0));
  return (
    <svg
      class="interval-line"
      role="img"
      aria-label={label}
      aria-hidden={label === undefined}
      width="100%"
      height={height}
      overflow="visible"
    >
      <line class="zero" x1={zero} x2={zero} y1={height / 10} y2={height} />
      {interval !== null && <Whisker scale={scale} interval={interval} height={height} />}
      <circle class="estimate" cx={at(placeOn(scale, estimate))} cy={height / 2} r={2 + height / 10} />
    </svg>
  );
}

const UNKNOWN = "interval not known yet";

function Row({ row, scale, kind }: { row: IntervalRow; scale: Scale; kind: MetricKind }) {
  const size = difference(kind, row.estimate);
  const range = row.interval === null ? UNKNOWN : differenceRange(kind, row.interval);
  return (
    <div class={`interval-row ${row.mark ?? "undecided"}`}>
      <p class="interval-name">
        <strong>{row.name}</strong> <span>{size}</span> <small>{range}</small>
      </p>
      <IntervalLine
        spread={inShownUnit(row, kind)}
        scale={scale}
        height={HEIGHT}
        label={`${row.name}: ${size}, interval: ${range}`}
      />
    </div>
  );
}

const Axis = ({ scale }: { scale: Scale }) => (
  <svg class="interval-axis" aria-hidden="true" width="100%" height="26" overflow="visible">
    <line x1="0" x2="100%" y1="1" y2="1" />
    {scale.ticks.map((tick) => (
      <g key={tick}>
        <line x1={at(placeOn(scale, tick))} x2={at(placeOn(scale, tick))} y1="0" y2="7" />
        <text x={at(placeOn(scale, tick))} y="22" text-anchor="middle">
          {tickNumber(tick)}
        </text>
      </g>
    ))}
  </svg>
);

const SIDES = {
  increase: ["worse", "better"],
  decrease: ["better", "worse"],
  unknown: ["less", "more"],
} as const;

/** Differences from the control with their intervals, on one scale, with zero marked. */
export function IntervalPlot({ rows, kind, direction, caption, control }: IntervalPlotProps) {
  const scale = scaleFor(rows.map((row) => inShownUnit(row, kind)));
  const [left, right] = SIDES[direction ?? "unknown"];
  return (
    <figure class="intervals">
      <figcaption>{caption}</figcaption>
      {rows.map((row) => (
        <Row key={row.name} row={row} scale={scale} kind={kind} />
      ))}
      <Axis scale={scale} />
      <p class="axis-note">
        <span>← {left}</span>
        <span>{right} →</span>
        <span>
          {differenceUnit(kind)}; 0 is the same as {control}
        </span>
      </p>
    </figure>
  );
}
