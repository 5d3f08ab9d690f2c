import { readFileSync } from "node:fs";
import type { ComparisonReply } from "../../../domain/experiments/results/comparison.ts";

/** Golden cases, recomputed by a second program with 60 digits and root finding. */
export function goldenCases<Case>(name: "experiments" | "planning"): readonly Case[] {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), "utf8"));
}

/** Figures that differ by more than 1e-9 of their size, as "path: expected, got"; nothing where all agree. */
export function disagreements(expected: unknown, actual: unknown, path = ""): string[] {
  if (typeof expected === "number" && typeof actual === "number") {
    const agree = Math.abs(actual - expected) <= 1e-9 * Math.abs(expected) + 1e-15 * Number(expected === 0);
    return agree ? [] : [`${path}: expected ${expected}, got ${actual}`];
  }
  if (expected !== null && typeof expected === "object") {
    return Object.entries(expected).flatMap(([key, value]) =>
      disagreements(value, (actual as Record<string, unknown> | null)?.[key], `${path}/${key}`),
    );
  }
  return expected === actual ? [] : [`${path}: expected ${String(expected)}, got ${String(actual)}`];
}

/** The one case of this id. */
export function goldenCase<Case extends { readonly id: string }>(id: string): Case {
  const found = goldenCases<Case>("experiments").find((one) => one.id === id);
  if (found === undefined) throw new Error(`There is no golden case ${id}.`);
  return found;
}

/** The figures of an answer by the names that golden cases have for them. */
export const goldenFigures = ({ if_you_must_choose: choice, reasons, ...figures }: ComparisonReply) => ({
  difference: figures.difference,
  mean_control: figures.control_level,
  mean_variant: figures.variant_level,
  standard_error: figures.standard_error,
  effective_users: figures.effective_users,
  p_value: figures.p_value,
  interval: figures.interval,
  lift: figures.lift,
  lift_interval: figures.lift_interval,
  lift_reason: reasons[0] ?? null,
  chance_better: choice.chance_better,
  expected_loss_of_variant: choice.expected_loss,
  expected_loss_of_control: choice.expected_loss_of_control,
});

/** Figures of an answer that the case has otherwise. */
export function wrongFigures(
  expected: Readonly<Record<string, unknown>>,
  comparison: ComparisonReply | null | undefined,
): string[] {
  if (comparison == null) return ["there is no comparison"];
  const figures = goldenFigures(comparison);
  const wanted = Object.keys(figures).map((name) => [name, expected[name]]);
  return disagreements(Object.fromEntries(wanted), figures);
}
