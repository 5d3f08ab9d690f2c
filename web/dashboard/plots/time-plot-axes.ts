import uPlot from "uplot";
import type { Palette } from "./palette.ts";
import type { TimePlotData } from "./time-plot-data.ts";

const SECOND = 1000;
const DAY = 86_400;
// A day has 23 hours when clocks go forward.
const SHORTEST_DAY_MS = 82_800_000;

// Whole numbers: there is no half event.
const WHOLE_STEPS = Array.from({ length: 13 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

// The library's default has the American order: month, day.
const DATES: uPlot.Axis.Values = [
  [31_536_000, "{YYYY}", null, null, null, null, null, null, 1],
  [2_419_200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86_400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  // Without the year, which would be cut off at the left edge.
  [60, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
];

// A single point gets its own date alone: other ticks would show times without data.
const ONLY_DATE = uPlot.fmtDate("{D} {MMM}\n{YYYY}");

// Steps of days, months and years, in the form that uPlot takes.
const DAYS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 30, 60, 90, 120, 180, 365, 730, 1_825, 3_650];
const WHOLE_DAYS = DAYS.map((days) => days * DAY);

/** With one value a day or fewer there are no ticks between days: there are no data for these times. */
function timeAxis({ times, zone }: TimePlotData, fontSize: number): uPlot.Axis {
  const [first = 0, second] = times;
  if (second !== undefined) {
    const daily = second - first >= SHORTEST_DAY_MS;
    return { space: 5.4 * fontSize, values: DATES, ...(daily ? { incrs: WHOLE_DAYS } : {}) };
  }
  const date = ONLY_DATE(uPlot.tzDate(new Date(first), zone));
  return { splits: () => [first / SECOND], values: () => [date] };
}

/** The axes below and to the left of a plot. */
export function axesOf(data: TimePlotData, { ink, rule, fontSize }: Palette): uPlot.Axis[] {
  const { zero, formatTick } = data;
  const common = {
    stroke: ink,
    font: `${fontSize}px system-ui, sans-serif`,
    grid: { stroke: rule, width: 1 },
    ticks: { stroke: rule, width: 1 },
  };
  return [
    { ...common, size: 4 * fontSize, ...timeAxis(data, fontSize) },
    {
      ...common,
      space: 36,
      ...(zero === "floor" ? { incrs: WHOLE_STEPS } : {}),
      values: (_plot, ticks) => ticks.map(formatTick),
      size: (_plot, labels) =>
        20 + 0.58 * fontSize * Math.max(2, ...(labels ?? []).map((label) => label.length)),
    },
  ];
}
