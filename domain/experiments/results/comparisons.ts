import { probabilityToBeBest } from "../../statistics/best-arm.ts";
import { beliefsOf } from "../../statistics/choice.ts";
import type { Level, Look } from "../../statistics/look.ts";
import type { Arm } from "./arms.ts";
import { type Comparison, compare } from "./comparison.ts";
import type { MeasuredMetric } from "./measured-metric.ts";

export interface Design {
  readonly alpha: number;
  readonly look: Look;
}

/**
 * Every variant against the control on every metric. α is shared by all variants, and among the guardrails by those as
 * well, whatever the weights: so each of the two families errs at most α of the time.
 */
export function compareAll(
  control: Arm,
  arms: readonly Arm[],
  metrics: readonly MeasuredMetric[],
  design: Design,
): readonly Comparison[] {
  const variants = arms.filter((arm) => arm !== control);
  const guardrails = metrics.filter(({ role }) => role === "guardrail").length;
  return metrics.flatMap((metric) => {
    const comparisons = variants.length * (metric.role === "guardrail" ? guardrails : 1);
    const level: Level = { ...design, comparisons };
    const compared = variants.map((variant) => compare(metric, control, variant, level));
    return metric.role === "primary" ? withChances(metric, compared) : compared;
  });
}

/** With several variants, how likely each is the best of all, the control included. */
function withChances(metric: MeasuredMetric, compared: readonly Comparison[]): readonly Comparison[] {
  const ready = compared.flatMap(({ contrast, reply }) =>
    contrast === null || reply.interval === null ? [] : [contrast],
  );
  const beliefs = beliefsOf(ready, metric.direction ?? "increase");
  if (ready.length < 2 || beliefs.some(({ deviation }) => !(deviation > 0))) return compared;
  const [, ...chances] = probabilityToBeBest(beliefs);
  return compared.map((one) => {
    const chance_best = one.contrast === null ? null : (chances[ready.indexOf(one.contrast)] ?? null);
    const if_you_must_choose = { ...one.reply.if_you_must_choose, chance_best };
    return { ...one, reply: { ...one.reply, if_you_must_choose } };
  });
}
