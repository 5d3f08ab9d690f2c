import { z } from "zod";
import { Description, looksLike, Name, recordOf } from "../text.ts";
import { type Instant, IsoTime, isoTime, Timestamp } from "../time.ts";
import { GroupInput, type GroupRange, type Holdout, HoldoutInput } from "./exclusion.ts";

export const MIN_VARIANTS = 2;
export const MAX_VARIANTS = 20;
export const MAX_METRICS = 50;
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

const MAX_CAP = 1e13;
const MAX_DAYS = 366;
const MAX_UNIT = 20;

const DAYS = `must be a whole number of days from 1 to ${MAX_DAYS}`;
const Days = z.int(DAYS).min(1, DAYS).max(MAX_DAYS, DAYS);

const DEFAULT_COVARIATE_DAYS = 14;

/** Of the events of this type in the days before the assignment: the sum of the property, or how many there are. */
const EventCovariate = z.strictObject({
  event_type: Name,
  property: Name.optional(),
  days: Days.default(DEFAULT_COVARIATE_DAYS),
});
export type EventCovariate = z.infer<typeof EventCovariate>;

/** A number known about a user before the experiment: sent as an attribute of the assignment, or made of their events. */
const Covariate = z.union([z.strictObject({ attribute: Name }), EventCovariate], {
  error: `must be {"attribute": …}, a number sent with the assignment, or {"event_type": …, "property"?: …, "days"?: 1 to ${MAX_DAYS}}, the user's events before it`,
});
export type Covariate = z.infer<typeof Covariate>;

/** How much worse a guardrail may get: in its own unit, or relative to the control's level. */
const Margin = z.union([
  z.number().positive("must be above 0"),
  z.strictObject({ relative: z.number().gt(0, "must be above 0").max(1, "must be at most 1") }),
]);
export type Margin = z.infer<typeof Margin>;

export const MetricRole = z.enum(["primary", "guardrail", "exploratory"]);
export type MetricRole = z.infer<typeof MetricRole>;

const measured = {
  metric_name: Name,
  kind: z.enum(["conversion", "mean", "count", "ratio"]).default("mean"),
  direction: z.enum(["increase", "decrease"]).default("increase"),
  margin: Margin.optional(),
  cap: z.number().positive("must be above 0").max(MAX_CAP).optional(),
  window_days: Days.optional(),
  covariate: Covariate.optional(),
  denominator: Name.optional(),
  unit: z.string().min(1).max(MAX_UNIT).optional(),
  event_type: Name.optional(),
  property: Name.optional(),
  where: recordOf(z.union([z.string(), z.number(), z.boolean()])).optional(),
};

/** A metric as a caller declares it. `primary: true` is another way to say `role: "primary"`. */
export const MetricDeclaration = z
  .strictObject({ ...measured, role: MetricRole.optional(), primary: z.boolean().optional() })
  .superRefine((declared, context) => {
    for (const complaint of metricComplaints(declared)) context.addIssue({ code: "custom", ...complaint });
  })
  .meta({ id: "MetricDeclaration" });
export type MetricDeclaration = z.infer<typeof MetricDeclaration>;

/**
 * A declared metric: its measure, and whether more is better. An undeclared metric is a `mean` that never decides. With an
 * `event_type` its values are tracked events: the number in `property`, or 1, of each event that has all of `where`.
 */
export const MetricDefinition = z
  .strictObject({
    ...measured,
    role: MetricRole,
    declared_at: IsoTime.optional().meta({
      description: "When it was added to a test that ran already; absent where the test was created with it.",
    }),
  })
  .meta({ id: "MetricDefinition" });
export type MetricDefinition = z.infer<typeof MetricDefinition>;

function metricComplaints({ kind, role, primary, margin, cap, denominator, ...rest }: MetricDeclaration) {
  const found: Complaint[] = [];
  const complain = (field: string, message: string) => found.push({ path: [field], message });
  if (rest.event_type === undefined && (rest.property ?? rest.where) !== undefined)
    complain("event_type", "is needed where there is a property or a where");
  if (kind === "ratio" && denominator === undefined)
    complain("denominator", "is needed for a ratio: the name of another metric of this test");
  if (kind !== "ratio" && denominator !== undefined)
    complain("denominator", 'is only for a ratio: add "kind": "ratio", or leave it out');
  if (margin !== undefined && role !== "guardrail")
    complain("margin", 'is only for a guardrail: add "role": "guardrail", or leave it out');
  if (cap !== undefined && kind === "conversion")
    complain("cap", "is not for a conversion, which is 0 or 1: leave it out");
  if (kind === "ratio" && rest.covariate !== undefined)
    complain("covariate", "is not for a ratio: leave it out");
  if (primary === true && role !== undefined && role !== "primary")
    complain("primary", `contradicts the role "${role}": leave one of them out`);
  return found;
}

/** A declaration, or what was made of one before. */
type Declared = MetricDeclaration & Pick<MetricDefinition, "declared_at">;

/** The declared metrics with their roles: where none is primary, the first one without a role is. */
export function metricDefinitions(declared: readonly Declared[]): MetricDefinition[] {
  const given = declared.map(({ role, primary }) => role ?? (primary ? "primary" : undefined));
  const first = given.includes("primary") ? -1 : given.indexOf(undefined);
  return declared.map(({ primary: _, ...metric }, index) => ({
    ...metric,
    role: given[index] ?? (index === first ? "primary" : "exploratory"),
  }));
}

/** The metrics as storage keeps them, as JSON; those of an earlier version have no roles. */
export const readMetrics = (json: string): MetricDefinition[] => metricDefinitions(JSON.parse(json));

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

export interface Complaint {
  readonly path: (string | number)[];
  readonly message: string;
}

const twice = (name: string): string =>
  `must differ from the other names in more than case, space and Unicode form: "${name}" does not`;

function repeats(list: string, field: string, names: readonly string[]): Complaint[] {
  return names.flatMap((name, index) =>
    names.slice(0, index).some((earlier) => looksLike(earlier, name))
      ? [{ path: [list, index, field], message: twice(name) }]
      : [],
  );
}

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

/** The faults of an experiment's metrics as a whole. */
export function metricsComplaints(
  input: Pick<Shape, "metrics" | "planned_users" | "window_days">,
): Complaint[] {
  const { metrics } = input;
  const names = metrics.map((metric) => metric.metric_name);
  return [
    ...repeats("metrics", "metric_name", names),
    ...roleComplaints(metrics),
    ...denominatorComplaints(metrics),
    ...windowComplaints(input),
  ];
}

function roleComplaints(metrics: readonly MetricDeclaration[]): Complaint[] {
  const primary = metrics.filter((metric) => metric.primary || metric.role === "primary").length;
  return primary > 1 ? [{ path: ["metrics"], message: "must have at most one that is primary" }] : [];
}

/** A metric's window must be over when the experiment is: values that come later would not count. */
function windowComplaints({
  metrics,
  planned_users,
  window_days = 0,
}: Pick<Shape, "metrics" | "planned_users" | "window_days">): Complaint[] {
  if (planned_users === undefined) {
    const message = "is only for a test with planned_users: add them, or leave it out";
    return window_days > 0 ? [{ path: ["window_days"], message }] : [];
  }
  return metrics.flatMap((metric, index) => {
    if (metric.window_days === undefined || metric.window_days <= window_days) return [];
    const message = `must not be longer than the test's own window_days, which are ${window_days}`;
    return [{ path: ["metrics", index, "window_days"], message }];
  });
}

function denominatorComplaints(metrics: readonly MetricDeclaration[]): Complaint[] {
  return metrics.flatMap(({ kind, denominator, metric_name }, index) => {
    if (denominator === undefined || kind !== "ratio") return [];
    const other = metrics.find((metric) => metric.metric_name === denominator);
    const fits = other !== undefined && other.kind !== "ratio" && other.metric_name !== metric_name;
    const message = "must be the name of another metric of this test that is no ratio itself";
    return fits ? [] : [{ path: ["metrics", index, "denominator"], message }];
  });
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
