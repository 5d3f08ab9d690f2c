import { readFileSync } from "node:fs";
import { type Arm, armOf, conversionArm } from "../../../domain/statistics/arm.ts";
import { momentsOf } from "../../../domain/statistics/moments.ts";
import { type PairedMoments, pairedConversions } from "../../../domain/statistics/paired-moments.ts";

/** A case of the oracle: inputs and expected figures have a different shape for every method. */
export interface OracleCase {
  readonly id: string;
  readonly method: string;
  readonly title: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the method, and each runner reads its own.
  readonly input: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly params: any;
  readonly expected: Record<string, unknown>;
  readonly rel_tol: number;
  readonly abs_tol: number;
}

export interface SpecialFunctionPoint {
  readonly fn: string;
  readonly args: number[];
  readonly value: number;
}

export interface PropertyCheck {
  readonly id: string;
  readonly setup: string;
  readonly accept?: Record<string, [number, number]>;
}

interface Oracle {
  readonly cases: OracleCase[];
  readonly special_functions: { readonly points: SpecialFunctionPoint[] };
  readonly property_checks: { readonly checks: PropertyCheck[] };
}

export const oracle: Oracle = JSON.parse(
  readFileSync(new URL("../../fixtures/statistics.json", import.meta.url), "utf8"),
);

interface Sums {
  readonly type?: string;
  readonly n: number;
  readonly sum: number;
  readonly sum_squares?: number;
}

interface PairedSums extends Sums {
  readonly pre_sum: number;
  readonly pre_sum_squares?: number;
  readonly cross: number;
}

/** The oracle gives sums, as other systems store them; at these magnitudes turning them into moments is harmless. */
export function armFromSums({ n, sum, sum_squares }: Sums): Arm {
  if (sum_squares === undefined) return conversionArm({ users: n, converted: sum });
  return armOf(momentsFromSums(n, sum, sum_squares));
}

/** Both arms of a case, whether it gives sums or values. */
// biome-ignore lint/suspicious/noExplicitAny: the input's shape depends on the case.
export function armsOf(input: any): [control: Arm, treatment: Arm] {
  if (input.control_values !== undefined) {
    return [armOf(momentsOf(input.control_values)), armOf(momentsOf(input.treatment_values))];
  }
  return [armFromSums(input.control), armFromSums(input.treatment)];
}

/** Covariate (x) and outcome (y) of a CUPED case. */
export function pairsFromSums(sums: PairedSums): PairedMoments {
  const { n, sum, sum_squares, pre_sum, pre_sum_squares, cross } = sums;
  if (sum_squares === undefined || pre_sum_squares === undefined) {
    return pairedConversions(n, pre_sum, sum, cross);
  }
  return {
    x: momentsFromSums(n, pre_sum, pre_sum_squares),
    y: momentsFromSums(n, sum, sum_squares),
    product: cross - (sum * pre_sum) / n,
  };
}

/** Denominator (x) and numerator (y) of a ratio case. */
export function ratioPairs(ratio: Record<string, number>): PairedMoments {
  const read = (name: string) => ratio[name] ?? Number.NaN;
  return {
    x: momentsFromSums(read("n"), read("den_sum"), read("den_sum_squares")),
    y: momentsFromSums(read("n"), read("num_sum"), read("num_sum_squares")),
    product: read("cross") - (read("num_sum") * read("den_sum")) / read("n"),
  };
}

function momentsFromSums(n: number, sum: number, sumOfSquares: number) {
  if (n === 0) return { n: 0, mean: 0, m2: 0 };
  return { n, mean: sum / n, m2: sumOfSquares - (sum * sum) / n };
}

/** Paths of the expected figures that the actual ones do not meet; `ignored` paths are left out with what is below them. */
export function disagreements(
  expected: unknown,
  actual: unknown,
  tolerance: { readonly relative: number; readonly absolute: number },
  ignored: readonly string[] = [],
  path = "",
): string[] {
  if (ignored.includes(path)) return [];
  if (expected !== null && typeof expected === "object") {
    return Object.entries(expected).flatMap(([key, value]) => {
      const inner = (actual as Record<string, unknown> | null | undefined)?.[key];
      return disagreements(value, inner, tolerance, ignored, path === "" ? key : `${path}.${key}`);
    });
  }
  return agree(expected, actual, tolerance) ? [] : [`${path}: expected ${expected}, got ${String(actual)}`];
}

function agree(
  expected: unknown,
  actual: unknown,
  tolerance: { readonly relative: number; readonly absolute: number },
): boolean {
  // The oracle writes an infinite bound as null.
  if (expected === null) return actual === null || Math.abs(Number(actual)) === Number.POSITIVE_INFINITY;
  if (typeof expected !== "number" || typeof actual !== "number") return expected === actual;
  return Math.abs(actual - expected) <= Math.max(tolerance.relative * Math.abs(expected), tolerance.absolute);
}
