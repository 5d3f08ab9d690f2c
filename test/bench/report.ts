import type { Operation } from "./operations/operation.ts";
import { type Measured, ratioOf, type Sample, type Spread, spreadOf } from "./samples.ts";
import { type All, targetRows } from "./targets.ts";

const number = (value: number): string =>
  Number.isNaN(value) ? "–" : value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });

const spread = ({ median, min, max }: Spread): string => `${number(median)} (${number(min)}–${number(max)})`;

const refusedOf = (samples: readonly Sample[]): string =>
  `${Math.round(100 * Math.max(...samples.map(({ refused = 0 }) => refused)))} %`;

function row(measured: Measured, name: string, samples: readonly Sample[]): string[] {
  const rates = spreadOf(samples.map(({ rate }) => rate));
  const ratio = ratioOf(measured, name, "hello");
  return [
    name,
    spread(rates),
    number(spreadOf(samples.map(({ cpu }) => cpu)).median),
    number(spreadOf(samples.map(({ p50 }) => p50)).median),
    number(spreadOf(samples.map(({ p99 }) => p99)).median),
    ratio === undefined ? "–" : spread(ratio),
    refusedOf(samples),
  ];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

export function reportOperation({ title, unit }: Operation, measured: Measured): string {
  const head = [title, `${unit}: median (min–max)`, "CPU µs", "median ms", "p99 ms", "× hello", "refused"];
  return table(
    head,
    [...measured].map(([name, samples]) => row(measured, name, samples)),
  );
}

/** What was asked for, what was measured, and whether that is enough. */
export const reportTargets = (all: All): string =>
  table(["target", "asked", "measured", ""], targetRows(all));

/** The README's table: each of our figures with the ratio to hello, and the machine beneath. */
export function reportMarkdown(
  operations: readonly Operation[],
  all: All,
  machine: readonly string[],
): string {
  const rows = operations.flatMap(({ name, title, unit }) => {
    const measured: Measured = all.get(name) ?? new Map();
    const ours = [...measured].filter(([contender]) => contender.startsWith("ours"));
    return ours.map(([contender, samples]) => {
      const [, rate = "", , median = "", p99 = "", ratio = ""] = row(measured, contender, samples);
      return [`${title}${contender.slice("ours".length)}`, `${rate} ${unit}`, ratio, median, p99];
    });
  });
  const head = ["operation", "median (min–max)", "× hello", "median ms", "p99 ms"];
  return [table(head, rows), "", ...machine.map((line) => `    ${line}`)].join("\n");
}
