import { z } from "zod";
import type { Checked } from "../failure.ts";
import { shareInterval } from "../statistics/share-interval.ts";
import { Name } from "../text.ts";
import { DAY, type Instant, IsoTime, isoTime } from "../time.ts";
import { Meta } from "./answer.ts";
import { BodyConditions, type Condition } from "./condition.ts";
import { type Group, shownGroup } from "./groups.ts";
import { type MembersQuestion, membersShape, twoBreakdowns } from "./members.ts";
import { rangeOf, rangeShape } from "./range.ts";
import { MAX_GROUPS } from "./trend.ts";

const MIN_STEPS = 2;
const MAX_STEPS = 20;
const MAX_WINDOW_SECONDS = (366 * DAY) / 1000;
const DEFAULT_WINDOW_SECONDS = (30 * DAY) / 1000;
const DEFAULT_GROUPS = 10;

const DEFAULT_USERS = 50;
const MAX_USERS = 200;

/** Which users of a funnel are listed: those who took a step, or those who left after it. */
const Listing = z.strictObject({
  step: z.int().min(1).max(MAX_STEPS).meta({ description: "From 1, the first step." }),
  outcome: z.enum(["reached", "left"]).meta({
    description: "`reached`: took the step. `left`: took it, and not the next one.",
  }),
  limit: z.int().min(1).max(MAX_USERS).default(DEFAULT_USERS),
});
type Listing = z.infer<typeof Listing>;

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
    ...membersShape,
    limit: z.int().min(1).max(MAX_GROUPS).default(DEFAULT_GROUPS),
    users: Listing.optional().meta({
      description: "Also lists users of a step, those first whose way through the funnel began last.",
    }),
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
  /** Only what these people did; with a breakdown of theirs, also divided by variant. */
  readonly members?: MembersQuestion | undefined;
  readonly limit: number;
  readonly users?: Listing | undefined;
}

/** A user on their way through a funnel, and when it began. */
export interface FunnelUser {
  readonly user_id: string;
  readonly began_at: Instant;
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
  /** Undefined where no users were asked for. */
  readonly users?: readonly FunnelUser[] | undefined;
}

/** Turns a query into the question for storage, or says why it has no answer. */
export function planFunnel(query: FunnelQuery, now: Instant): Checked<FunnelQuestion> {
  const range = rangeOf(query, now);
  if ("faults" in range) return range;
  const twice = twoBreakdowns(query);
  if (twice !== undefined) return { faults: [twice] };
  const { steps, order, window_seconds, breakdown, limit, users } = query;
  const last = users?.outcome === "left" ? steps.length - 1 : steps.length;
  if (users !== undefined && users.step > last) {
    const message = `must be at most ${last}, the last step that users can have ${users.outcome}`;
    return { faults: [{ path: "users.step", message }] };
  }
  const window_ms = window_seconds * 1000;
  return { value: { steps, order, window_ms, ...range.value, breakdown, limit, users } };
}

const StepReply = z.strictObject({
  event_type: z.string(),
  users: z.int(),
  /** From 0 to 1; null where no user has taken the step to compare with. */
  rate_from_start: z.number().nullable(),
  rate_from_previous: z.number().nullable(),
  median_seconds: z.number().nullable(),
});

const Completion = z
  .strictObject({
    rate: z.number().nullable(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
  })
  .meta({
    description:
      "The share of users who took all steps, with its 95 % interval, from 0 to 1; null without users.",
  });

export const Funnel = z
  .strictObject({
    order: Order,
    window_seconds: z.number(),
    from: IsoTime,
    to: IsoTime,
    steps: z.array(StepReply),
    completion: Completion,
    breakdown: z.string().nullable(),
    /** The experiment whose variants are the groups, where they are. */
    breakdown_experiment: z.string().optional(),
    groups: z.array(
      z.strictObject({
        group: z.union([z.string(), z.number(), z.boolean()]).nullable(),
        is_other: z.boolean(),
        steps: z.array(StepReply),
        completion: Completion,
      }),
    ),
    users: z.array(z.strictObject({ user_id: z.string(), began_at: IsoTime })).nullable(),
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

const COMPLETION_LEVEL = 0.95;

function completionOf(counts: readonly StepCount[]): z.infer<typeof Completion> {
  const [all, completed] = [counts[0]?.users ?? 0, counts.at(-1)?.users ?? 0];
  return { rate: rate(completed, all), interval: shareInterval(completed, all, COMPLETION_LEVEL) };
}

export function describeFunnel(question: FunnelQuestion, count: FunnelCount, meta: Meta): Funnel {
  const divided = question.members?.breakdown;
  const { order, window_ms, from, to, breakdown = null, steps } = question;
  return {
    order,
    window_seconds: window_ms / 1000,
    from: isoTime(from),
    to: isoTime(to),
    steps: shownSteps(steps, count.steps),
    completion: completionOf(count.steps),
    breakdown,
    ...(divided && { breakdown_experiment: divided.test_name }),
    groups: (count.groups ?? []).map(({ group, steps: counts }) => ({
      ...shownGroup(group),
      steps: shownSteps(steps, counts),
      completion: completionOf(counts),
    })),
    users: count.users?.map(({ user_id, began_at }) => ({ user_id, began_at: isoTime(began_at) })) ?? null,
    meta,
  };
}
