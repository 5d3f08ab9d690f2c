import { z } from "zod";
import type { Checked } from "../failure.ts";
import { Name } from "../text.ts";
import { DAY, type Instant, IsoTime, isoTime } from "../time.ts";
import { Meta } from "./answer.ts";
import { BodyConditions, type Condition } from "./condition.ts";
import { type Group, shownGroup } from "./groups.ts";
import { rangeOf, rangeShape } from "./range.ts";
import { MAX_GROUPS } from "./trend.ts";

const MIN_STEPS = 2;
const MAX_STEPS = 20;
const MAX_WINDOW_SECONDS = (366 * DAY) / 1000;
const DEFAULT_WINDOW_SECONDS = (30 * DAY) / 1000;
const DEFAULT_GROUPS = 10;

const Order = z.enum(["ordered", "strict", "unordered"]);
type Order = z.infer<typeof Order>;

export const FunnelQuery = z
  .strictObject({
    steps: z
      .array(z.strictObject({ event_type: Name, where: BodyConditions }))
      .min(MIN_STEPS, `must have at least ${MIN_STEPS} steps`)
      .max(MAX_STEPS, `must have at most ${MAX_STEPS} steps`),
    order: Order.default("ordered"),
    window_seconds: z.number().min(1).max(MAX_WINDOW_SECONDS).default(DEFAULT_WINDOW_SECONDS),
    ...rangeShape,
    breakdown: Name.optional(),
    limit: z.int().min(1).max(MAX_GROUPS).default(DEFAULT_GROUPS),
    verify: z.boolean().default(false),
  })
  .meta({ id: "FunnelQuery" });
export type FunnelQuery = z.infer<typeof FunnelQuery>;

export interface Step {
  readonly event_type: string;
  readonly where: readonly Condition[];
}

/** The funnel as storage answers it: the steps that each user has taken within the range. */
export interface FunnelQuestion {
  readonly steps: readonly Step[];
  readonly order: Order;
  /** The longest time from the first step to the last, in milliseconds. */
  readonly window_ms: number;
  readonly from: Instant;
  readonly to: Instant;
  /** Also divides the users by the value of this property at their first step. */
  readonly breakdown?: string | undefined;
  readonly limit: number;
}

export interface StepCount {
  readonly users: number;
  /** Median time since the previous step. Null for the first step, and where no user has come this far. */
  readonly median_ms: number | null;
}

export interface FunnelCount {
  readonly steps: readonly StepCount[];
  /** Undefined without a breakdown. */
  readonly groups?: readonly { readonly group: Group; readonly steps: readonly StepCount[] }[] | undefined;
}

/** Turns a query into the question for storage, or says why it has no answer. */
export function planFunnel(query: FunnelQuery, now: Instant): Checked<FunnelQuestion> {
  const range = rangeOf(query, now);
  if ("faults" in range) return range;
  const { steps, order, window_seconds, breakdown, limit } = query;
  return { value: { steps, order, window_ms: window_seconds * 1000, ...range.value, breakdown, limit } };
}

const StepReply = z.strictObject({
  event_type: z.string(),
  users: z.int(),
  /** From 0 to 1; null where no user has taken the step to compare with. */
  rate_from_start: z.number().nullable(),
  rate_from_previous: z.number().nullable(),
  median_seconds: z.number().nullable(),
});

export const Funnel = z
  .strictObject({
    order: Order,
    window_seconds: z.number(),
    from: IsoTime,
    to: IsoTime,
    steps: z.array(StepReply),
    breakdown: z.string().nullable(),
    groups: z.array(
      z.strictObject({
        group: z.union([z.string(), z.number(), z.boolean()]).nullable(),
        is_other: z.boolean(),
        steps: z.array(StepReply),
      }),
    ),
    meta: Meta,
  })
  .meta({ id: "Funnel" });
export type Funnel = z.infer<typeof Funnel>;

const rate = (users: number, of: number | undefined): number | null => (of ? users / of : null);

const shownSteps = (steps: readonly Step[], counts: readonly StepCount[]) =>
  counts.map(({ users, median_ms }, index) => ({
    event_type: steps[index]?.event_type ?? "",
    users,
    rate_from_start: rate(users, counts[0]?.users),
    rate_from_previous: rate(users, counts[Math.max(0, index - 1)]?.users),
    median_seconds: median_ms === null ? null : median_ms / 1000,
  }));

export function describeFunnel(question: FunnelQuestion, count: FunnelCount, meta: Meta): Funnel {
  const { order, window_ms, from, to, breakdown = null, steps } = question;
  return {
    order,
    window_seconds: window_ms / 1000,
    from: isoTime(from),
    to: isoTime(to),
    steps: shownSteps(steps, count.steps),
    breakdown,
    groups: (count.groups ?? []).map(({ group, steps: counts }) => ({
      ...shownGroup(group),
      steps: shownSteps(steps, counts),
    })),
    meta,
  };
}
