import { describe, expect, test } from "vitest";
import {
  anyTimeUsers,
  type PlannedComparison,
  plannedUsers,
} from "../../../domain/statistics/required-users.ts";
import { disagreements, goldenCases } from "./golden.ts";

interface Case {
  readonly id: string;
  readonly input: { vc: number; vt: number; d: number; wc?: number; wt?: number; m?: number };
  readonly planned: number;
  readonly any: number;
}

const comparisonOf = ({ vc, vt, d, wc = 0.5, wt = 0.5, m = 1 }: Case["input"]): PlannedComparison => ({
  control: { share: wc, variance: vc },
  variant: { share: wt, variance: vt },
  difference: d,
  alpha: 0.05,
  comparisons: m,
  power: 0.8,
});

describe("a plan needs as many users as", () => {
  test.each(goldenCases<Case>("planning"))("$id", ({ input, planned, any }) => {
    const comparison = comparisonOf(input);
    const needed = { planned: plannedUsers(comparison), any: anyTimeUsers(comparison) };
    expect(disagreements({ planned, any }, needed)).toEqual([]);
  });
});

test("a plan in the other direction needs as many users", () => {
  const comparison = comparisonOf({ vc: 9, vt: 9, d: 0.3 });
  const mirrored = { ...comparison, difference: -0.3 };
  expect([plannedUsers(mirrored), anyTimeUsers(mirrored)]).toEqual([
    plannedUsers(comparison),
    anyTimeUsers(comparison),
  ]);
});
