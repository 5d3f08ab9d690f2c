import uPlot from "uplot";
import type { Palette } from "./palette.ts";
import type { TimePlotData } from "./time-plot-data.ts";

const FONT = "13px system-ui, sans-serif";
const SECOND = 1000;
const DAY = 86_400;
// Where a clock is put forward a day has 23 hours.
const SHORTEST_DAY_MS = 82_800_000;

// Whole numbers: nobody has half an event.
const WHOLE_STEPS = Array.from({ length: 13 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

// The field's own would be in the American order: month, day.
const DATES: uPlot.Axis.Values = [
  [31_536_000, "{YYYY}", null, null, null, null, null, null, 1],
  [2_419_200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86_400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  // Without the year, which would be cut off at the left.
  [60, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
];

// The one point there is has its own date: the ticks beside it would be of times that nothing is known of.
const ONLY_DATE = uPlot.fmtDate("{D} {MMM}\n{YYYY}");

// Steps of days, months and years, as the field knows them.
const DAYS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 30, 60, 90, 120, 180, 365, 730, 1_825, 3_650];
const WHOLE_DAYS = DAYS.map((days) => days * DAY);

/** Where there is one value a day or fewer, no tick stands between days: nothing is known of that time. */
function timeAxis({ times, zone }: TimePlotData): uPlot.Axis {
  const [first = 0, second] = times;
  if (second !== undefined) {
    const daily = second - first >= SHORTEST_DAY_MS;
    return { space: 70, values: DATES, ...(daily ? { incrs: WHOLE_DAYS } : {}) };
  }
  const date = ONLY_DATE(uPlot.tzDate(new Date(first), zone));
  return { splits: () => [first / SECOND], values: () => [date] };
}

/** What stands below and to the left of a plot. */
export function axesOf(data: TimePlotData, { ink, rule }: Palette): uPlot.Axis[] {
  const { zero, formatTick } = data;
  const common = {
    stroke: ink,
    font: FONT,
    grid: { stroke: rule, width: 1 },
    ticks: { stroke: rule, width: 1 },
  };
  return [
    { ...common, ...timeAxis(data) },
    {
      ...common,
      space: 36,
      ...(zero === "floor" ? { incrs: WHOLE_STEPS } : {}),
      values: (_plot, ticks) => ticks.map(formatTick),
      size: (_plot, labels) => 20 + 7.5 * Math.max(2, ...(labels ?? []).map((label) => label.length)),
    },
  ];
}
