import { readFileSync } from "node:fs";

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
