import { z } from "zod";
import type { Checked } from "../failure.ts";
import {
  type ErrorRates,
  requiredStandardErrors,
  type SampleSize,
  sequentialInflation,
} from "../statistics/planning.ts";
import { defaultTuningUsers } from "../statistics/sequential.ts";

const Probability = z.number().gt(0, "must be above 0").lt(1, "must be below 1");

/** One of `effect` and `users` is given, the other is the answer. */
export const PlanInput = z
  .strictObject({
    kind: z.enum(["conversion", "mean"]).default("conversion"),
    baseline: z.number().meta({ description: "The control's conversion rate, or its mean per user." }),
    standard_deviation: z.number().positive("must be above 0").optional(),
    effect: z.number().optional().meta({ description: "The difference to find: relative, or absolute." }),
    effect_type: z.enum(["relative", "absolute"]).default("relative"),
    users: z.int().min(2).optional().meta({ description: "In all arms together." }),
    split: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .meta({ description: "The share of the users that the treatment gets." }),
    power: Probability.default(0.8),
    confidence_level: z.number().gt(0.5).lt(1).default(0.95),
    planned_users: z.int().min(1).optional(),
  })
  .superRefine(({ kind, baseline, standard_deviation, effect, users, effect_type }, context) => {
    const complain = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (kind === "conversion" && (baseline <= 0 || baseline >= 1)) {
      complain("baseline", "must be above 0 and below 1 for a conversion");
    }
    if (kind === "mean" && standard_deviation === undefined)
      complain("standard_deviation", "is needed for a mean");
    if ((effect === undefined) === (users === undefined))
      complain("effect", "or users must be given, not both");
    if (effect === 0) complain("effect", "must not be 0");
    if (effect_type === "relative" && baseline === 0)
      complain("effect_type", "must be absolute where baseline is 0");
  })
  .meta({ id: "PlanInput" });
export type PlanInput = z.infer<typeof PlanInput>;

const Horizon = z.strictObject({ control: z.int(), treatment: z.int(), total: z.int() });
const Effect = z.strictObject({ absolute: z.number(), relative: z.number().nullable() });

/** Users for one look at the end, and for always-valid figures that may be looked at every day. */
export const Plan = z
  .strictObject({
    effect: z.strictObject({ fixed: Effect, sequential: Effect }),
    users: z.strictObject({ fixed: Horizon, sequential: Horizon }),
    summary: z.string(),
  })
  .meta({ id: "Plan" });
export type Plan = z.infer<typeof Plan>;

// Both searches shrink their error by a factor at every step: some tens are enough.
const STEPS = 200;

interface Question {
  readonly input: PlanInput;
  readonly rates: ErrorRates;
  readonly tuningUsers: number;
}

/** Per-user variance around a mean: a conversion's follows from its rate. */
const varianceAt = ({ kind, standard_deviation = 0 }: PlanInput, mean: number): number =>
  kind === "conversion" ? mean * (1 - mean) : standard_deviation ** 2;

/** Users in each arm: nT = (z_{1−α/2} + z_{1−β})²·(s²C/r + s²T)/δ² and nC = r·nT, r the control's users per treatment's. */
function sizesFor({ input, rates }: Question, difference: number, inflation: number): SampleSize {
  const ratio = (1 - input.split) / input.split;
  const variance = varianceAt(input, input.baseline) / ratio + varianceAt(input, input.baseline + difference);
  const treatment = ((requiredStandardErrors(rates) * inflation) / difference) ** 2 * variance;
  return { control: Math.ceil(ratio * treatment), treatment: Math.ceil(treatment) };
}

const inflationAt = ({ rates, tuningUsers }: Question, users: number): number =>
  sequentialInflation(users, rates.alpha, tuningUsers);

/** More users make the always-valid interval only slowly wider: the first size that suffices at its own width. */
function sequentialSizes(question: Question, difference: number): SampleSize {
  let sizes = sizesFor(question, difference, 1);
  for (let step = 0; step < STEPS; step++) {
    const total = sizes.control + sizes.treatment;
    const next = sizesFor(question, difference, inflationAt(question, total));
    if (next.control === sizes.control && next.treatment === sizes.treatment) return sizes;
    sizes = next;
  }
  return sizes;
}

/** The smallest difference that this many users find; a conversion's variance depends on it itself, hence the search. */
function differenceFor({ input, rates }: Question, sizes: SampleSize, inflation: number): number {
  const ceiling = input.kind === "conversion" ? 1 - input.baseline : Number.POSITIVE_INFINITY;
  let difference = 0;
  for (let step = 0; step < STEPS; step++) {
    const target = input.baseline + Math.min(difference, ceiling);
    const variance =
      varianceAt(input, input.baseline) / sizes.control + varianceAt(input, target) / sizes.treatment;
    const next = requiredStandardErrors(rates) * inflation * Math.sqrt(variance);
    if (Math.abs(next - difference) <= 1e-12 * next) return next;
    difference = next;
  }
  return difference;
}

const horizon = ({ control, treatment }: SampleSize): Plan["users"]["fixed"] => ({
  control,
  treatment,
  total: control + treatment,
});

const effectOf = ({ baseline }: PlanInput, absolute: number): Plan["effect"]["fixed"] => ({
  absolute,
  relative: baseline === 0 ? null : absolute / Math.abs(baseline),
});

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

const inWords = ({ kind, baseline }: PlanInput, absolute: number): string =>
  kind === "conversion"
    ? `${short.format(100 * baseline)} % to ${short.format(100 * (baseline + absolute))} %`
    : `${short.format(baseline)} to ${short.format(baseline + absolute)} per user`;

function planForEffect(question: Question, difference: number): Plan {
  const { input } = question;
  const fixed = sizesFor(question, difference, 1);
  const sequential = sequentialSizes(question, difference);
  const total = sequential.control + sequential.treatment;
  const summary =
    `To find a change from ${inWords(input, difference)} you need ${whole.format(total)} users if you look at the ` +
    `results whenever you like, or ${whole.format(fixed.control + fixed.treatment)} if you look once, at the end.`;
  return {
    effect: { fixed: effectOf(input, difference), sequential: effectOf(input, difference) },
    users: { fixed: horizon(fixed), sequential: horizon(sequential) },
    summary,
  };
}

function planForUsers(question: Question, users: number): Plan {
  const { input } = question;
  const treatment = Math.round(users * input.split);
  const sizes = { control: users - treatment, treatment };
  const fixed = differenceFor(question, sizes, 1);
  const sequential = differenceFor(question, sizes, inflationAt(question, users));
  const summary =
    `With ${whole.format(users)} users you can find a change from ${inWords(input, sequential)} if you look at the ` +
    `results whenever you like, or from ${inWords(input, fixed)} if you look once, at the end.`;
  return {
    effect: { fixed: effectOf(input, fixed), sequential: effectOf(input, sequential) },
    users: { fixed: horizon(sizes), sequential: horizon(sizes) },
    summary,
  };
}

/** Users needed for an effect, or the effect that a number of users can find. */
export function planSampleSize(input: PlanInput): Checked<Plan> {
  const { effect, users, baseline, effect_type, kind, power, confidence_level, planned_users } = input;
  const rates = { alpha: 1 - confidence_level, power };
  const question = { input, rates, tuningUsers: planned_users ?? defaultTuningUsers };
  if (users !== undefined) return { value: planForUsers(question, users) };
  const difference = (effect ?? 0) * (effect_type === "relative" ? Math.abs(baseline) : 1);
  const target = baseline + difference;
  if (kind === "conversion" && (target < 0 || target > 1)) {
    return {
      faults: [{ path: "effect", message: `leads to a rate of ${short.format(target)}, outside of 0 to 1` }],
    };
  }
  return { value: planForEffect(question, difference) };
}
