import { type Answered, type Asking, joinedCountsOnly } from "../../domain/reports/answer.ts";
import { questionBefore, type TrendPlan, type TrendSeries } from "../../domain/reports/trend.ts";
import type { EventQuestions } from "../../domain/storage.ts";

/** The series of a period, and those of the period before where the plan has one. */
export interface BothPeriods {
  readonly series: readonly TrendSeries[];
  readonly before?: readonly TrendSeries[] | undefined;
}

/** Asks for the series of the period, and then of the one before, whose groups are those of the first answer. */
export async function askBothPeriods(
  storage: EventQuestions,
  { question, previous }: Pick<TrendPlan, "question" | "previous">,
  asking: Asking,
): Promise<Answered<BothPeriods>> {
  const first = await storage.trend(question, asking);
  if (previous === undefined) {
    const { value: series, recomputed } = first;
    return { ...first, value: { series }, recomputed: recomputed && { series: recomputed } };
  }
  const second = await storage.trend(questionBefore(question, previous, first.value), asking);
  const both = [first, second];
  return {
    countsOnly: joinedCountsOnly(both),
    source: both.some(({ source }) => source === "raw") ? "raw" : "rollup",
    value: { series: first.value, before: second.value },
    recomputed: both.some(({ recomputed }) => recomputed !== undefined)
      ? { series: first.recomputed ?? first.value, before: second.recomputed ?? second.value }
      : undefined,
  };
}
