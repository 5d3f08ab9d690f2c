import { z } from "zod";
import { Description, Name } from "../text.ts";
import { type Instant, IsoTime, isoTime, Timestamp } from "../time.ts";
import { GroupInput, type GroupRange, type Holdout, HoldoutInput } from "./exclusion.ts";
import {
  type Complaint,
  MAX_DAYS,
  MAX_METRICS,
  MetricDeclaration,
  MetricDefinition,
  metricDefinitions,
  metricsComplaints,
  repeats,
} from "./metric-declaration.ts";

export const MIN_VARIANTS = 2;
export const MAX_VARIANTS = 20;
const MAX_PLANNED_USERS = 1_000_000_000;

const MIN_PLANNED_USERS = 100;
const MAX_VALUE_BYTES = 16 * 1024;

export const ExperimentStatus = z.enum(["draft", "running", "paused", "stopped", "archived"]);
export type ExperimentStatus = z.infer<typeof ExperimentStatus>;

export const Share = z.number().min(0, "must be from 0 to 1").max(1, "must be from 0 to 1");
export const Weight = z.number().min(0, "must not be negative");

/** The meaning of a variant in the caller's own program: any JSON. */
const VariantValue = z
  .unknown()
  .refine(
    (value) =>
      value === undefined || new TextEncoder().encode(JSON.stringify(value)).length <= MAX_VALUE_BYTES,
    `must be at most ${MAX_VALUE_BYTES} bytes long as JSON`,
  )
  .meta({ description: "Any JSON; the variant's name by default." });

export const VariantInput = z.strictObject({
  variant_name: Name,
  description: Description.nullish(),
  weight: Weight.default(1),
  value: VariantValue.optional(),
});

export const ConfidenceLevel = z
  .number()
  .gt(0.5, "must be between 0.5 and 1, both excluded")
  .lt(1, "must be between 0.5 and 1, both excluded");

const Shape = z.strictObject({
  test_name: Name,
  description: Description.nullish(),
  variants: z.array(VariantInput).min(MIN_VARIANTS).max(MAX_VARIANTS),
  control: Name.optional(),
  status: z.enum(["draft", "running"]).default("running"),
  traffic: Share.default(1),
  confidence_level: ConfidenceLevel.default(0.95),
  planned_users: z
    .int()
    .min(MIN_PLANNED_USERS, `must be at least ${MIN_PLANNED_USERS}: fewer users show nothing`)
    .max(MAX_PLANNED_USERS)
    .optional(),
  window_days: z.int().min(0).max(MAX_DAYS).optional(),
  stop_at: Timestamp.nullish(),
  hypothesis: Description.nullish(),
  notes: Description.nullish(),
  exclusion_group: GroupInput.nullish(),
  holdout: HoldoutInput.nullish(),
  metrics: z.array(MetricDeclaration).max(MAX_METRICS).default([]),
});
type Shape = z.infer<typeof Shape>;

/** Whether weights can be divided by their sum. */
export const hasWeight = (variants: readonly { weight: number }[]): boolean => {
  const sum = variants.reduce((total, { weight }) => total + weight, 0);
  return sum > 0 && Number.isFinite(sum);
};

function complaints(input: Shape): Complaint[] {
  const { variants, control } = input;
  const names = variants.map((variant) => variant.variant_name);
  const found = repeats("variants", "variant_name", names);
  if (!hasWeight(variants)) {
    found.push({ path: ["variants"], message: "must have weights whose sum is above 0 and finite" });
  }
  if (control !== undefined && !names.includes(control)) {
    found.push({ path: ["control"], message: "must be the name of one of the variants" });
  }
  return [...found, ...metricsComplaints(input)];
}

export const ExperimentInput = Shape.superRefine((input, context) => {
  for (const complaint of complaints(input)) context.addIssue({ code: "custom", ...complaint });
}).meta({
  id: "ExperimentInput",
  examples: [
    {
      test_name: "homepage_button_color",
      description: "Testing different button colors on homepage",
      variants: [
        { variant_name: "red", description: "Red button", weight: 0.5 },
        { variant_name: "blue", description: "Blue button", weight: 0.5 },
      ],
      metrics: [{ metric_name: "signup", kind: "conversion" }],
    },
  ],
});
export type ExperimentInput = z.infer<typeof ExperimentInput>;

export interface Variant {
  readonly id: number;
  readonly variant_name: string;
  readonly description: string | null;
  readonly weight: number;
  readonly is_control: boolean;
  /** Its meaning in the caller's own program: any JSON. */
  readonly value: unknown;
}

/** The decision at the end of an experiment: its author, reason and time. */
export interface Decision {
  readonly who: string;
  readonly why: string;
  readonly when: Instant;
}

/** An A/B test, as the wire calls it. */
export interface Experiment {
  readonly id: number;
  readonly test_name: string;
  readonly description: string | null;
  readonly status: ExperimentStatus;
  readonly created_at: Instant;
  readonly traffic: number;
  readonly confidence_level: number;
  readonly planned_users: number | null;
  /** How long after the last planned user was assigned values still count. */
  readonly window_days: number;
  /** When the last planned user was assigned. No user is enrolled afterwards. */
  readonly planned_users_reached_at: Instant | null;
  /** When it is to end by itself. */
  readonly stop_at: Instant | null;
  readonly hypothesis: string | null;
  readonly notes: string | null;
  readonly decision: Decision | null;
  readonly exclusion_group: GroupRange | null;
  readonly holdout: Holdout | null;
  /** When it was stopped; its results are those of that moment. */
  readonly stopped_at: Instant | null;
  readonly winner_variant_id: number | null;
  readonly metrics: readonly MetricDefinition[];
  /** The salt of its users' hashes, which never leaves the server. */
  readonly salt: string;
  /** In the order of their ids, which is the order they were declared in. */
  readonly variants: readonly Variant[];
}

/** An experiment before storage has given it and its variants their ids. */
export interface NewExperiment extends Omit<Experiment, "id" | "variants"> {
  readonly variants: readonly Omit<Variant, "id">[];
}

export function newExperiment(input: ExperimentInput, salt: string, now: Instant): NewExperiment {
  const control = input.control ?? input.variants[0]?.variant_name;
  return {
    test_name: input.test_name,
    description: input.description ?? null,
    status: input.status,
    created_at: now,
    traffic: input.traffic,
    confidence_level: input.confidence_level,
    planned_users: input.planned_users ?? null,
    window_days: input.window_days ?? 0,
    planned_users_reached_at: null,
    stop_at: input.stop_at ?? null,
    hypothesis: input.hypothesis ?? null,
    notes: input.notes ?? null,
    decision: null,
    exclusion_group: null,
    holdout: input.holdout ?? null,
    stopped_at: null,
    winner_variant_id: null,
    metrics: metricDefinitions(input.metrics),
    salt,
    variants: input.variants.map((variant) => ({
      variant_name: variant.variant_name,
      description: variant.description ?? null,
      weight: variant.weight,
      is_control: variant.variant_name === control,
      value: variant.value === undefined ? variant.variant_name : variant.value,
    })),
  };
}

export const ExperimentReply = z
  .strictObject({
    id: z.int(),
    test_name: z.string(),
    description: z.string().nullable(),
    status: ExperimentStatus,
    created_at: IsoTime,
    control: z.string().nullable(),
    traffic: z.number(),
    confidence_level: z.number(),
    planned_users: z.int().nullable(),
    window_days: z.int(),
    planned_users_reached_at: IsoTime.nullable(),
    stop_at: IsoTime.nullable(),
    hypothesis: z.string().nullable(),
    notes: z.string().nullable(),
    decision: z.strictObject({ who: z.string(), why: z.string(), when: IsoTime }).nullable(),
    exclusion_group: z.strictObject({ name: z.string(), from: z.number(), to: z.number() }).nullable(),
    holdout: z.strictObject({ name: z.string(), share: z.number() }).nullable(),
    stopped_at: IsoTime.nullable(),
    winner: z.string().nullable(),
    metrics: z.array(MetricDefinition),
    variants: z.array(
      z.strictObject({
        id: z.int(),
        variant_name: z.string(),
        description: z.string().nullable(),
        weight: z.number(),
        share: z
          .number()
          .meta({ description: "Of the users that are enrolled now: the weight over the sum." }),
        is_control: z.boolean(),
        value: z.unknown(),
      }),
    ),
  })
  .meta({ id: "Experiment" });
export type ExperimentReply = z.infer<typeof ExperimentReply>;

/** The variant that the others are compared with; none only in a database that others made without variants. */
export const controlOf = (experiment: Experiment): Variant | undefined =>
  experiment.variants.find((variant) => variant.is_control);

/** Whether a metric of this name was declared, and not only tracked. */
export const isDeclared = ({ metrics }: Experiment, metricName: string): boolean =>
  metrics.some(({ metric_name }) => metric_name === metricName);

/** The variants with their shares, so that weights in mixed units, as 50 and 0.5, show what they mean. */
function withShares(variants: readonly Variant[]) {
  const sum = variants.reduce((total, { weight }) => total + weight, 0);
  return variants.map((variant) => ({ ...variant, share: sum > 0 ? variant.weight / sum : 0 }));
}

const timeOrNull = (instant: Instant | null): string | null => (instant === null ? null : isoTime(instant));

/** The experiment as the API shows it: everything but its salt. */
export function describe(experiment: Experiment): ExperimentReply {
  return {
    id: experiment.id,
    test_name: experiment.test_name,
    description: experiment.description,
    status: experiment.status,
    created_at: isoTime(experiment.created_at),
    control: controlOf(experiment)?.variant_name ?? null,
    traffic: experiment.traffic,
    confidence_level: experiment.confidence_level,
    planned_users: experiment.planned_users,
    window_days: experiment.window_days,
    planned_users_reached_at: timeOrNull(experiment.planned_users_reached_at),
    stop_at: timeOrNull(experiment.stop_at),
    hypothesis: experiment.hypothesis,
    notes: experiment.notes,
    decision: experiment.decision && { ...experiment.decision, when: isoTime(experiment.decision.when) },
    exclusion_group: experiment.exclusion_group,
    holdout: experiment.holdout,
    stopped_at: timeOrNull(experiment.stopped_at),
    winner:
      experiment.winner_variant_id === null ? null : variantName(experiment, experiment.winner_variant_id),
    metrics: [...experiment.metrics],
    variants: withShares(experiment.variants),
  };
}

/** One of its variants, by id. */
export function variantOf(experiment: Experiment, variantId: number): Variant {
  const variant = experiment.variants.find(({ id }) => id === variantId);
  if (variant === undefined) throw new Error(`A/B test ${experiment.id} has no variant ${variantId}`);
  return variant;
}

/** The name of one of its variants. */
export const variantName = (experiment: Experiment, variantId: number): string =>
  variantOf(experiment, variantId).variant_name;
