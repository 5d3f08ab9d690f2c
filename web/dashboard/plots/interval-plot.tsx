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
  /** Highlights the row that the verdict is about. */
  readonly mark: "good" | "bad" | undefined;
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
const MIDDLE = HEIGHT / 2;
const CAP = 7;

// In percent of the width, so that nothing is measured, or redrawn when a phone is turned.
const at = (place: number): string => `${place.toFixed(3)}%`;

function Whisker({ scale, interval }: { scale: Scale; interval: Bounds }) {
  const { from, to, opensLow, opensHigh } = stretchOn(scale, interval);
  const cap = (place: number) => <line x1={at(place)} x2={at(place)} y1={MIDDLE - CAP} y2={MIDDLE + CAP} />;
  return (
    <g class="whisker">
      <line x1={at(from)} x2={at(to)} y1={MIDDLE} y2={MIDDLE} />
      {!opensLow && cap(from)}
      {!opensHigh && cap(to)}
    </g>
  );
}

const UNKNOWN = "interval not known yet";

function Row({ row, scale, kind }: { row: IntervalRow; scale: Scale; kind: MetricKind }) {
  const { estimate, interval } = shown(row, kind);
  const zero = at(placeOn(scale, 0));
  const size = difference(kind, row.estimate);
  const spread = row.interval === null ? UNKNOWN : differenceRange(kind, row.interval);
  return (
    <div class={`interval-row ${row.mark ?? "undecided"}`}>
      <p class="interval-name">
        <strong>{row.name}</strong> <span>{size}</span> <small>{spread}</small>
      </p>
      <svg
        role="img"
        aria-label={`${row.name}: ${size}, interval: ${spread}`}
        width="100%"
        height={HEIGHT}
        overflow="visible"
      >
        <line class="zero" x1={zero} x2={zero} y1="4" y2={HEIGHT} />
        {interval !== null && <Whisker scale={scale} interval={interval} />}
        <circle class="estimate" cx={at(placeOn(scale, estimate))} cy={MIDDLE} r="6" />
      </svg>
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

/** A row in the displayed unit: shares are displayed as percentages. */
function shown({ estimate, interval }: IntervalRow, kind: MetricKind): Spread & { estimate: number } {
  const factor = scaleOf(kind);
  const scaled = (value: number | null) => (value === null ? null : factor * value);
  return {
    estimate: factor * estimate,
    interval: interval === null ? null : [scaled(interval[0]), scaled(interval[1])],
  };
}

const SIDES = {
  increase: ["worse", "better"],
  decrease: ["better", "worse"],
  unknown: ["less", "more"],
} as const;

/** Differences from the control with their intervals, on one scale, with zero marked. */
export function IntervalPlot({ rows, kind, direction, caption, control }: IntervalPlotProps) {
  const scale = scaleFor(rows.map((row) => shown(row, kind)));
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
