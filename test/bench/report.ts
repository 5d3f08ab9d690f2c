import type { Baseline, Operation } from "./operations/operation.ts";
import { type Measured, ratioOf, type Sample, type Spread, spreadOf } from "./samples.ts";
import { type All, targetRows } from "./targets.ts";

const number = (value: number): string =>
  Number.isNaN(value) ? "–" : value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });

const spread = ({ median, min, max }: Spread): string => `${number(median)} (${number(min)}–${number(max)})`;

const refusedOf = (samples: readonly Sample[]): string =>
  `${Math.round(100 * Math.max(...samples.map(({ refused = 0 }) => refused)))} %`;

// Each operation lists hello first: the README's table shows only the ratio to the first baseline.
const HELLO: readonly Baseline[] = [{ name: "hello", baselineOf: () => "hello" }];

function ratioCell(measured: Measured, name: string, { baselineOf }: Baseline): string {
  const ratio = ratioOf(measured, name, baselineOf(name));
  return ratio === undefined ? "–" : spread(ratio);
}

/** CPU time per operation relative to hello. Noise of the machine affects this figure least. */
function cpuRatioCell(measured: Measured, name: string): string {
  const ratio = ratioOf(measured, name, "hello", ({ cpu }) => cpu);
  return ratio === undefined ? "–" : number(ratio.median);
}

function row(
  { baselines = HELLO }: Operation,
  measured: Measured,
  name: string,
  samples: readonly Sample[],
): string[] {
  const rates = spreadOf(samples.map(({ rate }) => rate));
  return [
    name,
    spread(rates),
    number(spreadOf(samples.map(({ cpu }) => cpu)).median),
    cpuRatioCell(measured, name),
    number(spreadOf(samples.map(({ p50 }) => p50)).median),
    number(spreadOf(samples.map(({ p99 }) => p99)).median),
    ...baselines.map((baseline) => ratioCell(measured, name, baseline)),
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

export function reportOperation(operation: Operation, measured: Measured): string {
  const { title, unit, baselines = HELLO } = operation;
  const ratios = baselines.map(({ name }) => `× ${name}`);
  const head = [
    title,
    `${unit}: median (min–max)`,
    "CPU µs",
    "CPU × hello",
    "median ms",
    "p99 ms",
    ...ratios,
    "refused",
  ];
  return table(
    head,
    [...measured].map(([name, samples]) => row(operation, measured, name, samples)),
  );
}

/** A table of the targets and the measured figures. Undefined if no measured operation has a target. */
export function reportTargets(all: All): string | undefined {
  const rows = targetRows(all);
  return rows.length === 0 ? undefined : table(["figure", "target", "measured", ""], rows);
}

/** The table for the README: our figures with their ratio to hello, followed by the description of the machine. */
export function reportMarkdown(
  operations: readonly Operation[],
  all: All,
  machine: readonly string[],
): string {
  const rows = operations.flatMap((operation) => {
    const { name, title, unit } = operation;
    const measured: Measured = all.get(name) ?? new Map();
    const ours = [...measured].filter(([contender]) => contender.startsWith("ours"));
    return ours.map(([contender, samples]) => {
      const [, rate = "", , cpu = "", median = "", p99 = "", ratio = ""] = row(
        operation,
        measured,
        contender,
        samples,
      );
      return [`${title}${contender.slice("ours".length)}`, `${rate} ${unit}`, ratio, cpu, median, p99];
    });
  });
  const head = ["operation", "median (min–max)", "× hello", "CPU × hello", "median ms", "p99 ms"];
  return [table(head, rows), "", ...machine.map((line) => `    ${line}`)].join("\n");
}
