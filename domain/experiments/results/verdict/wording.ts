import { once } from "../../../once.ts";
import type { Bounds } from "../../../statistics/contrast.ts";
import type { MeasuredMetric } from "../measured-metric.ts";

// Figures as sentences show them: three significant digits, a true minus, and each with its unit.

// The first format of a process loads the rules of all languages: 10 ms and 7 MB.
const format = (options: Intl.NumberFormatOptions) => once(() => new Intl.NumberFormat("en", options));

const whole = format({ maximumFractionDigits: 0 });
const DIGITS = { maximumSignificantDigits: 3 } as const;
const plain = format(DIGITS);
const withSign = format({ ...DIGITS, signDisplay: "exceptZero" });
const tiny = format({ ...DIGITS, notation: "scientific" });

// Outside of these, digits would be hidden among zeros.
const LEAST = 1e-6;
const MOST = 1e15;

const readable = (value: number): boolean =>
  value === 0 || (Math.abs(value) >= LEAST && Math.abs(value) < MOST);

const withMinus = (text: string): string => text.replaceAll("-", "−");

/** For example 0.00004 or 12,300. */
export const figure = (value: number): string => withMinus((readable(value) ? plain : tiny)().format(value));

/** For example +0.11 or −2. */
const signed = (value: number): string =>
  readable(value) ? withMinus(withSign().format(value)) : `${value > 0 ? "+" : ""}${figure(value)}`;

/** A number of users or the like, in full: 5,120. */
export const count = (value: number): string => whole().format(value);

export const usersInWords = (users: number): string => `${count(users)} ${users === 1 ? "user" : "users"}`;

/** The quotation marks keep a name apart from the sentence. */
export const quote = (name: string): string => `“${name}”`;

/** “B”, “C” and “D” */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** The parts that say anything, one after the other. */
export const sentences = (...parts: readonly string[]): string =>
  parts.filter((part) => part !== "").join(" ");

type Unit = Pick<MeasuredMetric, "kind" | "unit">;

/** Shares are shown in percent. */
const scaleOf = ({ kind }: Unit): number => (kind === "conversion" ? 100 : 1);

function unitOf({ kind, unit }: Unit): string {
  const named = unit === null ? "" : ` ${unit}`;
  return kind === "ratio" ? named : `${named} per user`;
}

/** The level of one arm: "12 % of users", "4.1 EUR per user". */
export const levelInWords = (metric: Unit, level: number): string =>
  metric.kind === "conversion" ? `${figure(100 * level)} % of users` : `${figure(level)}${unitOf(metric)}`;

/** The level of the arm that is compared with: its unit has just been named. */
export const otherLevel = (metric: Unit, level: number): string =>
  metric.kind === "conversion" ? `${figure(100 * level)} %` : figure(level);

/** "+2 points (between +0.573 and +3.44)" */
export function differenceInWords(metric: Unit, difference: number, interval: Bounds | null): string {
  const scale = scaleOf(metric);
  const shown = `${signed(scale * difference)}${metric.kind === "conversion" ? " points" : ""}`;
  if (interval === null) return shown;
  return `${shown} (between ${signed(scale * interval[0])} and ${signed(scale * interval[1])})`;
}

/** An amount without a sign: "0.9 points", "3.2 EUR per user". */
export const amountInWords = (metric: Unit, amount: number): string =>
  metric.kind === "conversion" ? `${figure(100 * amount)} points` : `${figure(amount)}${unitOf(metric)}`;

/** The amount alone, its unit having just been named. */
export const otherAmount = (metric: Unit, amount: number): string => figure(scaleOf(metric) * amount);

/** "revenue", or "revenue (at most 500 per user)" where it is capped. */
export const metricInWords = ({ metric_name, cap }: MeasuredMetric): string =>
  cap === null ? metric_name : `${metric_name} (at most ${figure(cap)} per user)`;
