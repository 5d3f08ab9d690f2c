import { z } from "zod";
import { looksLike, Name, recordOf } from "../text.ts";
import { IsoTime } from "../time.ts";

export const MAX_METRICS = 50;
const MAX_CAP = 1e13;
/** The longest window of a metric or an experiment. */
export const MAX_DAYS = 366;
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

/** A fault, and its place in the input. */
export interface Complaint {
  readonly path: (string | number)[];
  readonly message: string;
}

const twice = (name: string): string =>
  `must differ from the other names in more than case, space and Unicode form: "${name}" does not`;

/** Names of a list that look like an earlier one. */
export function repeats(list: string, field: string, names: readonly string[]): Complaint[] {
  return names.flatMap((name, index) =>
    names.slice(0, index).some((earlier) => looksLike(earlier, name))
      ? [{ path: [list, index, field], message: twice(name) }]
      : [],
  );
}

/** What the metrics of an experiment are checked against. */
interface MetricsOfExperiment {
  readonly metrics: readonly MetricDeclaration[];
  readonly planned_users?: number | undefined;
  readonly window_days?: number | undefined;
}

/** The faults of an experiment's metrics as a whole. */
export function metricsComplaints(input: MetricsOfExperiment): Complaint[] {
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
function windowComplaints({ metrics, planned_users, window_days = 0 }: MetricsOfExperiment): Complaint[] {
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
