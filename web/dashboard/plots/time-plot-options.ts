import uPlot from "uplot";
import { dashOf, FAINT, FAINT_DASH, type Palette, toneOf } from "./palette.ts";
import { axesOf } from "./time-plot-axes.ts";
import type { TimePlotData, Values } from "./time-plot-data.ts";

const SECOND = 1000;
const HALF_DAY = 43_200;

/** The complete values, and apart from them the incomplete ones with their neighbours, so that the line has no gap. */
function partsOf(values: Values, unfinished: readonly boolean[]) {
  const touches = (index: number): boolean =>
    unfinished[index - 1] === true || unfinished[index] === true || unfinished[index + 1] === true;
  return {
    complete: values.map((value, index) => (unfinished[index] ? null : value)),
    open: values.map((value, index) => (touches(index) ? value : null)),
  };
}

function linesOf({ lines, unfinished, times }: TimePlotData, palette: Palette) {
  // Many points would overlap.
  const few = times.length <= 45;
  return lines.flatMap(({ label, values, before }, index) => {
    const stroke = palette.tones[toneOf(index)] ?? palette.ink;
    const { complete, open } = partsOf(values, unfinished);
    const isOpen = (at: number): boolean => unfinished[at] === true && values[at] !== null;
    const solid: uPlot.Series = {
      label,
      stroke,
      width: 2,
      dash: [...dashOf(index)],
      points: { show: few, size: 6, fill: stroke },
    };
    const hollow: uPlot.Series = {
      label: `${label}, not complete`,
      stroke,
      width: 1,
      dash: [2, 4],
      points: {
        show: true,
        size: 9,
        width: 2,
        fill: palette.paper,
        stroke,
        filter: (_plot, _series, _show) => open.flatMap((_, at) => (isOpen(at) ? [at] : [])),
      },
    };
    const faint: uPlot.Series = {
      label: `${label}, period before`,
      stroke,
      width: 2,
      alpha: FAINT,
      dash: [...FAINT_DASH],
      points: { show: times.length === 1, size: 6 },
    };
    return [
      ...(before === undefined ? [] : [{ series: faint, values: before }]),
      { series: solid, values: complete },
      ...(unfinished.includes(true) ? [{ series: hollow, values: open }] : []),
    ];
  });
}

function bandOf({ band }: TimePlotData, palette: Palette) {
  if (band === undefined) return [];
  const series: uPlot.Series = { stroke: palette.tones[0] ?? palette.ink, width: 1, points: { show: false } };
  return [
    { series: { ...series, label: "upper end" }, values: band.high },
    { series: { ...series, label: "lower end" }, values: band.low },
  ];
}

/** A line across the plot where the difference is zero. */
const drawZero =
  (palette: Palette) =>
  (plot: uPlot): void => {
    const y = Math.round(plot.valToPos(0, "y", true));
    const { left, top, width, height } = plot.bbox;
    if (y < top || y > top + height) return;
    plot.ctx.save();
    plot.ctx.strokeStyle = palette.zero;
    plot.ctx.lineWidth = 2 * devicePixelRatio;
    plot.ctx.beginPath();
    plot.ctx.moveTo(left, y);
    plot.ctx.lineTo(left + width, y);
    plot.ctx.stroke();
    plot.ctx.restore();
  };

const MARK_FONT = "bold 12px system-ui, sans-serif";

/** Numbered vertical lines at the marks. A mark after the last time is within its bucket, and drawn at the edge. */
const drawMarks =
  ({ times, marks = [] }: TimePlotData, palette: Palette) =>
  (plot: uPlot): void => {
    const { left, top, width, height } = plot.bbox;
    const latest = times.at(-1) ?? 0;
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = palette.zero;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.font = MARK_FONT.replace("12", String(12 * devicePixelRatio));
    ctx.textAlign = "center";
    for (const [index, mark] of marks.entries()) {
      const at = Math.round(plot.valToPos(Math.min(mark, latest) / SECOND, "x", true));
      if (at < left || at > left + width) continue;
      ctx.beginPath();
      ctx.moveTo(at, top);
      ctx.lineTo(at, top + height);
      ctx.stroke();
      ctx.fillText(String(index + 1), at, top - 4 * devicePixelRatio);
    }
    ctx.restore();
  };

/** From the first time to the last; half a day to each side of a single time. */
function timeRange(times: readonly number[]): [number, number] {
  const first = (times[0] ?? 0) / SECOND;
  const last = (times.at(-1) ?? 0) / SECOND;
  return first === last ? [first - HALF_DAY, last + HALF_DAY] : [first, last];
}

// Intervals of the first days are so wide that the others would look alike: their ends may extend beyond the plot.
const SETTLED = 0.25;

function valueRange({ lines, band, zero }: TimePlotData): [number, number] {
  const settled = (values: Values) => values.slice(Math.floor(values.length * SETTLED));
  const all = [
    0,
    ...lines.flatMap(({ values, before = [] }) => [...values, ...before]),
    ...(band === undefined ? [] : [...settled(band.low), ...settled(band.high)]),
  ].filter((value) => value !== null);
  const least = all.reduce((low, value) => Math.min(low, value));
  const most = all.reduce((high, value) => Math.max(high, value));
  const margin = 0.08 * (most - least) || 1;
  return [zero === "floor" ? least : least - margin, most + margin];
}

interface Place {
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
  readonly onPoint: (index: number) => void;
}

/** Converts the data of a plot into the options of uPlot. */
export function timePlotOptions(data: TimePlotData, { width, height, palette, onPoint }: Place) {
  const band = bandOf(data, palette);
  const all = [...band, ...linesOf(data, palette)];
  const options: uPlot.Options = {
    width,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * SECOND), data.zone),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { range: () => timeRange(data.times) }, y: { range: () => valueRange(data) } },
    axes: axesOf(data, palette),
    series: [{}, ...all.map(({ series }) => series)],
    bands: band.length === 0 ? [] : [{ series: [1, 2], fill: palette.band }],
    hooks: {
      draw: [...(data.zero === "line" ? [drawZero(palette)] : []), drawMarks(data, palette)],
      setCursor: [({ cursor: { idx } }) => idx != null && onPoint(idx)],
    },
  };
  const times = data.times.map((time) => time / SECOND);
  return { options, values: [times, ...all.map(({ values }) => [...values])] as uPlot.AlignedData };
}
