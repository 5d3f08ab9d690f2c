// Formats every figure with its unit, after a non-breaking space.
const SPACE = "\u00a0";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const SHORT = { maximumSignificantDigits: 4 } as const;
const SIGNED = { maximumSignificantDigits: 3, signDisplay: "exceptZero" } as const;
const short = new Intl.NumberFormat("en", SHORT);
const signed = new Intl.NumberFormat("en", SIGNED);
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

// A hyphen is easily missed in front of a figure.
const withMinus = (text: string): string => text.replaceAll("-", "−");

// Beyond these sizes powers of ten are easier to read than rows of zeros.
const LEAST = 1e-4;
const MOST = 1e15;
const COMPACT_FROM = 1e6;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const isCounted = (value: number): boolean =>
  value === 0 || (Math.abs(value) >= LEAST && Math.abs(value) < MOST);

/** As 9.3 × 10⁻¹¹. */
function inPowersOfTen(value: number, options: Intl.NumberFormatOptions): string {
  const format = new Intl.NumberFormat("en", { ...options, notation: "scientific" });
  const [factor = "", exponent = ""] = format.format(value).split("E");
  const raised = exponent.replaceAll(/\d/g, (digit) => SUPERSCRIPTS.charAt(Number(digit))).replace("-", "⁻");
  return `${withMinus(factor)}${SPACE}×${SPACE}10${raised}`;
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** A name before a figure. A right-to-left name is isolated, or it would move the figure to its other side. */
export const isolated = (name: string): string => (RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name);

export type MetricKind = "conversion" | "mean" | "count" | "ratio";
export type Bounds = readonly [number | null, number | null];

export const number = (value: number): string => whole.format(value);
export const compactNumber = (value: number): string => withMinus(compact.format(value));
export const plainNumber = (value: number): string =>
  isCounted(value) ? withMinus(short.format(value)) : inPowersOfTen(value, SHORT);

/** A figure at an axis, where there is little room. */
export const tickNumber = (value: number): string =>
  isCounted(value) && Math.abs(value) >= COMPACT_FROM ? compactNumber(value) : plainNumber(value);

export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${whole.format(value)}${SPACE}${value === 1 ? one : many}`;

/** A share as percent; null where there are no users. */
export const percent = (share: number | null): string =>
  share === null ? "–" : `${tenth.format(100 * share)}${SPACE}%`;

/** A chosen share, without further digits. */
export const wholePercent = (level: number): string => `${short.format(100 * level)}${SPACE}%`;

/** Converts a percentage to a share. Rounds, because 1.1 / 100 is not 0.011 in binary. */
export const shareOf = (percentage: number): number => Number((percentage / 100).toPrecision(12));

/** The factor between a metric's figures and their display: shares are displayed as percentages. */
export const scaleOf = (kind: MetricKind): number => (kind === "conversion" ? 100 : 1);

const UNITS: Record<MetricKind, string> = {
  conversion: "percentage points",
  mean: "per user",
  count: "per user",
  ratio: "in the ratio",
};

export const differenceUnit = (kind: MetricKind): string => UNITS[kind];

/** The result of a variant: the share of users who converted, or the mean per user. */
export function level(kind: MetricKind, mean: number | null): string {
  if (mean === null) return "–";
  if (kind === "conversion") return `${plainNumber(100 * mean)}${SPACE}%`;
  return kind === "ratio" ? plainNumber(mean) : `${plainNumber(mean)} per${SPACE}user`;
}

export const signedNumber = (value: number): string =>
  isCounted(value) ? withMinus(signed.format(value)) : inPowersOfTen(value, SIGNED);

const ends = ([low, high]: Bounds, show: (value: number) => string): string =>
  `${low === null ? "no lower limit" : show(low)} to ${high === null ? "no upper limit" : show(high)}`;

/** A difference with its unit. */
export function difference(kind: MetricKind, value: number): string {
  const shown = signedNumber(scaleOf(kind) * value);
  const one = kind === "conversion" && /^[+−]1$/.test(shown);
  return `${shown} ${one ? "percentage point" : differenceUnit(kind)}`;
}

/** The size of a difference, for a loss or a margin. */
export const unsignedDifference = (kind: MetricKind, value: number): string =>
  difference(kind, value).replace("+", "");

export const differenceRange = (kind: MetricKind, bounds: Bounds): string =>
  `${ends(bounds, (value) => signedNumber(scaleOf(kind) * value))} ${differenceUnit(kind)}`;

export const lift = (value: number): string => `${signedNumber(100 * value)}${SPACE}%`;
export const liftRange = (bounds: Bounds): string => ends(bounds, lift);

export const pValue = (value: number | null): string => {
  if (value === null) return "–";
  return value < 0.001 ? `below${SPACE}0.001` : value.toFixed(3);
};

const DURATIONS = [
  { unit: "days", seconds: 86_400 },
  { unit: "h", seconds: 3_600 },
  { unit: "min", seconds: 60 },
] as const;

/** A duration in the largest unit of which it has at least two. */
export function duration(seconds: number): string {
  const found = DURATIONS.find((one) => seconds >= 2 * one.seconds);
  const { unit, seconds: per } = found ?? { unit: "s", seconds: 1 };
  return `${withMinus(new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(seconds / per))}${SPACE}${unit}`;
}

const DATE = { day: "numeric", month: "short", year: "numeric" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
// The name of the zone also tells apart the two hours of the night in which clocks go back.
const ZONE = { timeZoneName: "short" } as const;

const formats = new Map<string, Intl.DateTimeFormat>();

// Creating a format costs a hundred times as much as using it, and a table uses it thousands of times.
function formatIn(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  formats.set(key, known);
  return known;
}

export const day = (time: string, zone: string): string => formatIn(zone, DATE).format(new Date(time));

/** A range as its first and last day, both included: "1 Nov 2026 to 30 Nov 2026". */
export const dayRange = (from: string, to: string, zone: string): string =>
  `${day(from, zone)} to ${day(new Date(Date.parse(to) - 1).toISOString(), zone)}`;

export const moment = (time: string, zone: string): string =>
  formatIn(zone, { ...DATE, ...CLOCK, ...ZONE }).format(new Date(time));

/** The time of day, as 10:00:07. */
export const clock = (time: string, zone: string): string =>
  formatIn(zone, { ...CLOCK, second: "2-digit" }).format(new Date(time));

export const momentWithSeconds = (time: string, zone: string): string =>
  formatIn(zone, { ...DATE, ...CLOCK, second: "2-digit", ...ZONE }).format(new Date(time));

export type Interval = "hour" | "day" | "week" | "month";

/** As "a day" or "an hour". */
export const oneOf = (noun: string): string => `${noun === "hour" ? "an" : "a"} ${noun}`;

/** The name of an hour, day, week or month by its start. */
export function period(start: string, interval: Interval, zone: string): string {
  if (interval === "hour") return moment(start, zone);
  if (interval === "month")
    return formatIn(zone, { month: "short", year: "numeric" }).format(new Date(start));
  return interval === "week" ? `week of ${day(start, zone)}` : day(start, zone);
}
