import { z } from "zod";
import type { Checked, Fault } from "../failure.ts";
import {
  anyTimeUsers,
  type PlannedComparison,
  plannedUsers,
  smallest,
  smallestBetween,
  suffices,
} from "../statistics/required-users.ts";
import { Name } from "../text.ts";
import { MAX_VARIANTS, MIN_VARIANTS } from "./experiment.ts";
import { FEWEST_USERS } from "./results/comparison.ts";
import { alphaOf } from "./results/level.ts";
import { count, figure, quote } from "./results/verdict/wording.ts";

const Probability = z.number().gt(0, "must be above 0").lt(1, "must be below 1");

const MetricInput = {
  kind: z.enum(["conversion", "mean"]).default("conversion"),
  baseline: z.number().meta({ description: "The control's conversion rate, or its mean per user." }),
  standard_deviation: z.number().positive("must be above 0").optional(),
};

const MAX_GUARDRAILS = 50;

const Guardrail = z.strictObject({
  ...MetricInput,
  metric_name: Name,
  margin: z
    .number()
    .positive("must be above 0")
    .meta({ description: "How much worse it may get, in its own unit." }),
});
type Guardrail = z.infer<typeof Guardrail>;

const Weights = z
  .array(z.number().positive("must be above 0"))
  .min(MIN_VARIANTS)
  .max(MAX_VARIANTS)
  .meta({ description: "One weight for each variant, the control first." });

type Complain = (path: (string | number)[], message: string) => void;

function checkMetric(
  { kind, baseline, standard_deviation }: Pick<Guardrail, keyof typeof MetricInput>,
  path: (string | number)[],
  complain: Complain,
): void {
  if (kind === "conversion" && (baseline <= 0 || baseline >= 1))
    complain([...path, "baseline"], "must be above 0 and below 1 for a conversion");
  if (kind === "mean" && standard_deviation === undefined)
    complain([...path, "standard_deviation"], "is needed for a mean");
}

/** One of `effect` and `users` is given, the other is the answer. */
export const PlanInput = z
  .strictObject({
    ...MetricInput,
    effect: z.number().optional().meta({ description: "The difference to find: relative, or absolute." }),
    effect_type: z.enum(["relative", "absolute"]).default("relative"),
    users: z
      .int()
      .min(2)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: "In all arms together." }),
    split: z
      .union([z.number().gt(0).lt(1), Weights])
      .default(0.5)
      .meta({ description: "The share of the users that the one variant gets, or a weight for each arm." }),
    guardrails: z.array(Guardrail).max(MAX_GUARDRAILS).default([]),
    power: Probability.default(0.8),
    confidence_level: z.number().gt(0.5).lt(1).default(0.95),
  })
  .superRefine((input, context) => {
    const { baseline, effect, users, effect_type, guardrails } = input;
    const complain: Complain = (path, message) => context.addIssue({ code: "custom", path, message });
    checkMetric(input, [], complain);
    guardrails.forEach((guardrail, index) => {
      checkMetric(guardrail, ["guardrails", index], complain);
    });
    if ((effect === undefined) === (users === undefined))
      complain(["effect"], "or users must be given, not both");
    if (effect === 0) complain(["effect"], "must not be 0");
    if (effect_type === "relative" && baseline === 0)
      complain(["effect_type"], "must be absolute where baseline is 0");
    if (users !== undefined && guardrails.length > 0)
      complain(["guardrails"], "can be planned for with an effect, not with users: leave them out");
  })
  .meta({ id: "PlanInput" });
export type PlanInput = z.infer<typeof PlanInput>;

const Horizon = z.strictObject({
  control: z.int(),
  treatment: z.int(),
  arms: z.array(z.int()),
  total: z.int(),
  /** The guardrail that needs the most users; null where it is the metric itself. */
  asked_by: z.string().nullable(),
});
type Horizon = z.infer<typeof Horizon>;

const Effect = z.strictObject({ absolute: z.number(), relative: z.number().nullable() });
const Effects = z.strictObject({ fixed: Effect.nullable(), sequential: Effect.nullable() });
type Effects = z.infer<typeof Effects>;

/**
 * `fixed`: for one look at a planned end (`planned_users`). `sequential`: for a decision at any time. Where users were
 * given, `effect` is the smallest increase that they find and `decrease` the smallest decrease, null where they find none.
 */
export const Plan = z
  .strictObject({
    effect: Effects,
    decrease: Effects.nullable(),
    users: z.strictObject({ fixed: Horizon, sequential: Horizon }),
    summary: z.string(),
  })
  .meta({ id: "Plan" });
export type Plan = z.infer<typeof Plan>;

/** The arms' shares of all users, the control's first. */
function sharesOf({ split }: PlanInput): readonly number[] {
  const weights = typeof split === "number" ? [1 - split, split] : split;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Per-user variance around a mean: a conversion's follows from its rate. */
const varianceAt = (
  { kind, standard_deviation = 0 }: Pick<PlanInput, "kind" | "standard_deviation">,
  mean: number,
): number => (kind === "conversion" ? mean * (1 - mean) : standard_deviation ** 2);

/** A demand on the number of users, by the primary metric (null) or a guardrail. */
interface Demand {
  readonly name: string | null;
  readonly comparisons: readonly PlannedComparison[];
}

/** With guardrails, the chance to miss something is shared by all metrics: 1 − (1 − power)/(G + 1) for each. */
const powerOf = ({ power, guardrails }: PlanInput): number => 1 - (1 - power) / (guardrails.length + 1);

/** The comparison of the metric with each variant, at this difference. */
function comparisonsFor(input: PlanInput, difference: number): readonly PlannedComparison[] {
  const [control = 0, ...variants] = sharesOf(input);
  return variants.map((share) => ({
    control: { share: control, variance: varianceAt(input, input.baseline) },
    variant: { share, variance: varianceAt(input, input.baseline + difference) },
    difference,
    alpha: alphaOf(input.confidence_level),
    comparisons: variants.length,
    power: powerOf(input),
  }));
}

/** A guardrail that has not changed must be told from one that is worse by its margin. */
function guardrailDemand(input: PlanInput, guardrail: Guardrail): Demand {
  const variance = varianceAt(guardrail, guardrail.baseline);
  const comparisons = comparisonsFor(input, guardrail.margin).map((comparison) => ({
    ...comparison,
    control: { ...comparison.control, variance },
    variant: { ...comparison.variant, variance },
    comparisons: comparison.comparisons * input.guardrails.length,
  }));
  return { name: guardrail.metric_name, comparisons };
}

function horizonFor(
  input: PlanInput,
  demands: readonly Demand[],
  usersFor: (comparison: PlannedComparison) => number,
): Horizon {
  const needed = demands.map(({ name, comparisons }) => ({
    name,
    users: Math.max(...comparisons.map(usersFor)),
  }));
  const most = needed.reduce((a, b) => (b.users > a.users ? b : a));
  return horizon(input, most.users, most.name);
}

function horizon(input: PlanInput, users: number, asked_by: string | null): Horizon {
  const arms = sharesOf(input).map((share) => Math.ceil(users * share));
  const [control = 0, ...variants] = arms;
  const total = arms.reduce((sum, one) => sum + one, 0);
  return { control, treatment: Math.max(...variants), arms, total, asked_by };
}

const effectOf = ({ baseline }: PlanInput, absolute: number): Plan["effect"]["fixed"] => ({
  absolute,
  relative: baseline === 0 ? null : absolute / Math.abs(baseline),
});

const inWords = ({ kind, baseline }: PlanInput, absolute: number): string =>
  kind === "conversion"
    ? `${figure(100 * baseline)} % to ${figure(100 * (baseline + absolute))} %`
    : `${figure(baseline)} to ${figure(baseline + absolute)} per user`;

const refuse = (path: string, message: string): Checked<Plan> => ({ faults: [{ path, message }] });

/** No verdict comes below this many users in an arm, so a plan that ends there would be no plan. */
function tooSmall(path: string, { arms }: Horizon): Fault[] {
  const fewest = Math.min(...arms);
  const message = `gives an arm ${count(fewest)} users, and no verdict comes below ${FEWEST_USERS}: plan more users, a more even split, or a smaller effect`;
  return fewest < FEWEST_USERS ? [{ path, message }] : [];
}

function planForEffect(input: PlanInput, difference: number): Checked<Plan> {
  const demands = [
    { name: null, comparisons: comparisonsFor(input, difference) },
    ...input.guardrails.map((guardrail) => guardrailDemand(input, guardrail)),
  ];
  const fixed = horizonFor(input, demands, plannedUsers);
  const sequential = horizonFor(input, demands, anyTimeUsers);
  if (!Number.isSafeInteger(fixed.total) || !Number.isSafeInteger(sequential.total))
    return refuse("effect", "is so small that no possible number of users finds it");
  const faults = tooSmall("split", fixed);
  if (faults.length > 0) return { faults };
  const asking = sequential.asked_by === null ? "" : ` ${quote(sequential.asked_by)} asks for the most.`;
  const summary =
    `To find a change from ${inWords(input, difference)} you need ${count(fixed.total)} users if you plan them ` +
    "beforehand and read once, at the end; " +
    `${count(sequential.total)} if you want to decide at any time.${asking}`;
  const effect = effectOf(input, difference);
  return {
    value: {
      effect: { fixed: effect, sequential: effect },
      decrease: null,
      users: { fixed, sequential },
      summary,
    },
  };
}

/** The smallest difference of this sign that the users find with every variant; null where they find none. */
function differenceFor(
  input: PlanInput,
  users: number,
  sign: 1 | -1,
  decision: "planned" | "any_time",
): number | null {
  const isFound = (size: number): boolean =>
    comparisonsFor(input, sign * size).every((comparison) => suffices(comparison, users, decision));
  if (input.kind === "mean") {
    const size = smallest(isFound, input.standard_deviation ?? 1);
    return Number.isFinite(size) ? sign * size : null;
  }
  // A rate of exactly 0 or 1 would be no rate any more.
  const room = (sign > 0 ? 1 - input.baseline : input.baseline) * (1 - 1e-9);
  return isFound(room) ? sign * smallestBetween(isFound, 0, room) : null;
}

function effectsFor(input: PlanInput, users: number, sign: 1 | -1): Effects {
  const find = (decision: "planned" | "any_time") => {
    const difference = differenceFor(input, users, sign, decision);
    return difference === null ? null : effectOf(input, difference);
  };
  return { fixed: find("planned"), sequential: find("any_time") };
}

/** "10 % to 11.2 % or 8.86 %" */
function foundInWords(input: PlanInput, effect: Effects, decrease: Effects, key: keyof Effects): string {
  const found = [effect[key], decrease[key]].flatMap((one) => one ?? []);
  if (found.length === 0) return "no change";
  return `a change from ${found.map(({ absolute }) => inWords(input, absolute)).join(", or from ")}`;
}

function planForUsers(input: PlanInput, users: number): Checked<Plan> {
  const sizes = horizon(input, users, null);
  const faults = tooSmall("users", sizes);
  if (faults.length > 0) return { faults };
  const [effect, decrease] = [effectsFor(input, users, 1), effectsFor(input, users, -1)];
  if (effect.fixed === null && decrease.fixed === null)
    return refuse("users", "are too few to find any change: plan more users, or a more even split");
  const summary =
    `${count(users)} users find ${foundInWords(input, effect, decrease, "fixed")} if you plan them beforehand ` +
    "and read once, at the end; " +
    `${foundInWords(input, effect, decrease, "sequential")} if you want to decide at any time.`;
  return { value: { effect, decrease, users: { fixed: sizes, sequential: sizes }, summary } };
}

/** Users needed for an effect, or the effect that a number of users can find. */
export function planSampleSize(input: PlanInput): Checked<Plan> {
  const { effect = 0, users, baseline, effect_type, kind } = input;
  if (users !== undefined) return planForUsers(input, users);
  const difference = effect * (effect_type === "relative" ? Math.abs(baseline) : 1);
  const target = baseline + difference;
  if (kind === "conversion" && !(target > 0 && target < 1))
    return refuse("effect", `leads to a rate of ${figure(target)}, which must be above 0 and below 1`);
  if (!Number.isFinite(target) || target === baseline)
    return refuse("effect", "is too small or too large beside the baseline to be calculated with");
  return planForEffect(input, difference);
}
