import { z } from "zod";
import { checkSplit, expectedUsers, leakedUsers, type SplitPeriod } from "../../statistics/split.ts";
import { type Instant, IsoTime, isoTime } from "../../time.ts";
import type { DroppedValues, ExperimentCells, RawValues } from "../cells.ts";
import { type Experiment, ExperimentStatus } from "../experiment.ts";
import { MetricDefinition } from "../metric-declaration.ts";
import { type Arm, ArmTable, usersOf } from "./arms.ts";
import { type Comparison, ComparisonReply } from "./comparison.ts";
import { compareAll } from "./comparisons.ts";
import { alphaOf, lookOf } from "./level.ts";
import { type MeasuredMetric, measuredMetrics, mostUsed } from "./measured-metric.ts";
import { momentOf, type Stage } from "./moment.ts";
import { figuresOf } from "./observations.ts";
import { brokenSplit, describeUndeclared, judge, noMetric, noUsers, Verdict } from "./verdict/verdict.ts";
import { count } from "./verdict/wording.ts";

const Dropped = z.strictObject({
  before_assignment: z.int(),
  after_stop: z.int(),
  after_window: z.int(),
  wrong_type: z.int(),
  out_of_range: z.int(),
});

const { kind, direction, role, margin } = MetricDefinition.shape;

export const MetricResult = z.strictObject({
  metric_name: z.string(),
  kind: kind.unwrap(),
  direction: direction.unwrap().nullable(),
  role,
  margin: margin.unwrap().nullable(),
  cap: z.number().nullable(),
  unit: z.string().nullable(),
  users: z.int(),
  users_with_value: z.int(),
  converted_users: z.int(),
  count: z.int(),
  sum: z.number(),
  mean: z.number().nullable(),
  standard_deviation: z.number().nullable(),
  dropped: Dropped,
  comparison: ComparisonReply.nullable(),
});
type MetricResult = z.infer<typeof MetricResult>;

const VariantResult = z.strictObject({
  variant_id: z.int(),
  variant_name: z.string(),
  is_control: z.boolean(),
  weight: z.number(),
  users: z.int(),
  expected_users: z.number().nullable(),
  metric_count: z.int(),
  average_value: z.number().nullable(),
  min_value: z.number().nullable(),
  max_value: z.number().nullable(),
  metrics: z.array(MetricResult),
});
type VariantResult = z.infer<typeof VariantResult>;

const SampleRatio = z.strictObject({
  ok: z.boolean(),
  p_value: z.number().nullable(),
  bayes_factor: z.number().nullable(),
  leaked_users: z.int(),
  reason: z.enum(["NO_DATA", "BROKEN_SPLIT"]).nullable(),
});
type SampleRatio = z.infer<typeof SampleRatio>;

export const Results = z
  .strictObject({
    test_id: z.int(),
    test_name: z.string(),
    description: z.string().nullable(),
    status: ExperimentStatus,
    control: z.string().nullable(),
    confidence_level: z.number(),
    planned_users: z.int().nullable(),
    completed: z.boolean(),
    /** Stored rows that are not in the figures yet, after an upgrade; absent where there are none. */
    pending_rows: z.int().optional(),
    sample_ratio: SampleRatio,
    /** People with several ids whose variants differ. They are left out of all figures but those of raw values. */
    crossed: z.int(),
    verdict: Verdict,
    results: z.array(VariantResult),
    computed_at: IsoTime,
  })
  .meta({ id: "Results" });
export type Results = z.infer<typeof Results>;
export type TimelessResults = Omit<Results, "computed_at">;

/** Options of a request for results. */
export interface Question {
  readonly confidence?: number | undefined;
  readonly metric?: string | undefined;
}

/** Everything that the results of one moment are read from. */
interface Assessment extends Stage {
  readonly experiment: Experiment;
  readonly arms: readonly Arm[];
  readonly control: Arm | undefined;
  readonly metrics: readonly MeasuredMetric[];
  readonly comparisons: readonly Comparison[];
  readonly periods: readonly SplitPeriod[];
  readonly raw: readonly RawValues[];
}

/**
 * Figures, sample ratio and verdict of an experiment: a pure function of its cells. Those of an experiment that has
 * ended are those of that moment. Another confidence level than the experiment's own changes α alone.
 */
export function resultsOf(
  experiment: Experiment,
  cells: ExperimentCells,
  now: Instant,
  question: Question = {},
): Results {
  const { as_of, ...stage } = momentOf(experiment, cells, now);
  return { ...timelessResultsOf(experiment, cells, stage, question), computed_at: isoTime(as_of) };
}

/** All of the results but the time of the request: they are the same as long as cells and stage are. */
export function timelessResultsOf(
  experiment: Experiment,
  cells: ExperimentCells,
  stage: Stage,
  { confidence = experiment.confidence_level, metric: only }: Question = {},
): TimelessResults {
  const assessment = assess(experiment, cells, stage, alphaOf(confidence));
  const { completed, periods } = assessment;
  const expected = expectedUsers(periods);
  const shown = assessment.metrics.filter(({ metric_name }) => only === undefined || metric_name === only);
  return {
    test_id: experiment.id,
    test_name: experiment.test_name,
    description: experiment.description,
    status: experiment.status,
    control: assessment.control?.variant.variant_name ?? null,
    confidence_level: confidence,
    planned_users: experiment.planned_users,
    completed,
    ...(cells.pending_rows > 0 ? { pending_rows: cells.pending_rows } : {}),
    sample_ratio: sampleRatioOf(periods),
    crossed: cells.crossed,
    verdict: withPending(verdictOf(assessment), cells.pending_rows),
    results: assessment.arms.map((arm, index) => variantResult(assessment, arm, expected[index], shown)),
  };
}

function assess(experiment: Experiment, cells: ExperimentCells, stage: Stage, alpha: number): Assessment {
  const { arms } = new ArmTable(experiment.variants, cells.cells);
  const control = arms.find(({ variant }) => variant.is_control);
  const metrics = measuredMetrics(experiment, arms, cells.raw);
  const comparisons =
    control === undefined
      ? []
      : compareAll(control, arms, metrics, { alpha, look: lookOf(experiment, stage.completed) });
  const periods = cells.periods.map(({ weights }, period) => ({
    weights: arms.map(
      ({ variant }) => weights.find(({ variant_id }) => variant_id === variant.id)?.weight ?? 0,
    ),
    users: arms.map((arm) => arm.periods[period]?.users ?? 0),
  }));
  return { experiment, arms, control, metrics, comparisons, periods, raw: cells.raw, ...stage };
}

function sampleRatioOf(periods: readonly SplitPeriod[]): SampleRatio {
  const everyone = expectedUsers(periods).reduce((sum, users) => sum + users, 0);
  const leaked_users = leakedUsers(periods);
  if (everyone === 0) return { ok: true, p_value: null, bayes_factor: null, leaked_users, reason: "NO_DATA" };
  const { alarm, p_value, log_bayes_factor } = checkSplit(periods);
  const factor = Math.exp(log_bayes_factor);
  return {
    ok: !alarm,
    p_value,
    // Beyond the largest double the logarithm alone is finite, and the alarm says enough.
    bayes_factor: Number.isFinite(factor) ? factor : null,
    leaked_users,
    reason: alarm ? "BROKEN_SPLIT" : null,
  };
}

function verdictOf({
  experiment,
  arms,
  control,
  metrics,
  comparisons,
  periods,
  completed,
  isEnded,
}: Assessment): Verdict {
  const users = arms.reduce((sum, arm) => sum + usersOf(arm), 0);
  if (checkSplit(periods).alarm) {
    const expected = expectedUsers(periods);
    return brokenSplit(
      arms.map((arm, index) => ({
        variant_name: arm.variant.variant_name,
        users: usersOf(arm),
        expected: expected[index] ?? 0,
      })),
    );
  }
  if (users === 0) return noUsers(experiment.status === "draft");
  const primary = metrics.find(({ role }) => role === "primary");
  const metric = primary ?? mostUsed(metrics, arms);
  if (metric === undefined || control === undefined) {
    return noMetric();
  }
  const plannedUsers = completed ? null : experiment.planned_users;
  const progress = { isOver: isEnded, isPaused: experiment.status === "paused", users, plannedUsers };
  const matter = { control, metric, comparisons, progress };
  return primary === undefined ? describeUndeclared(matter) : judge(matter);
}

/** Figures of a part of the data may still change, whatever they say. */
function withPending(verdict: Verdict, rows: number): Verdict {
  if (rows === 0) return verdict;
  const caution = `Up to ${count(rows)} stored rows are not counted yet, so this may change: ask again later.`;
  return { ...verdict, summary: `${verdict.summary} ${caution}` };
}

function variantResult(
  assessment: Assessment,
  arm: Arm,
  expected: number | undefined,
  metrics: readonly MeasuredMetric[],
): VariantResult {
  const { id, variant_name, is_control, weight } = arm.variant;
  return {
    variant_id: id,
    variant_name,
    is_control,
    weight,
    users: usersOf(arm),
    expected_users: expected ?? null,
    ...rawFigures(assessment, arm, metrics),
    metrics: metrics.map((metric) => metricResult(assessment, arm, metric)),
  };
}

const rawOf = ({ raw }: Assessment, { variant }: Arm, metric: MeasuredMetric): RawValues | undefined =>
  raw.find(({ variant_id, metric_name }) => variant_id === variant.id && metric_name === metric.metric_name);

const NONE_DROPPED: DroppedValues = {
  before_assignment: 0,
  after_stop: 0,
  after_window: 0,
  wrong_type: 0,
  out_of_range: 0,
};

function metricResult(assessment: Assessment, arm: Arm, metric: MeasuredMetric): MetricResult {
  const compared = assessment.comparisons.find((one) => one.metric === metric && one.variant === arm);
  const figures = figuresOf(metric, arm);
  return {
    metric_name: metric.metric_name,
    kind: metric.kind,
    direction: metric.direction,
    role: metric.role,
    margin: metric.margin,
    cap: metric.cap,
    unit: metric.unit,
    users: figures.users,
    users_with_value: figures.users_with_value,
    converted_users: figures.users_with_value,
    count: figures.count,
    sum: figures.sum,
    mean: figures.mean,
    standard_deviation: figures.standard_deviation,
    dropped: rawOf(assessment, arm, metric)?.dropped ?? NONE_DROPPED,
    comparison: compared?.reply ?? null,
  };
}

/** Figures of all raw values of assigned users, whether they count or not. */
function rawFigures(assessment: Assessment, arm: Arm, metrics: readonly MeasuredMetric[]) {
  const raw = metrics.flatMap((metric) => rawOf(assessment, arm, metric) ?? []);
  const metric_count = raw.reduce((total, { count }) => total + count, 0);
  const sum = raw.reduce((total, one) => total + one.sum, 0);
  const lows = raw.flatMap(({ min }) => min ?? []);
  const highs = raw.flatMap(({ max }) => max ?? []);
  return {
    metric_count,
    average_value: metric_count === 0 ? null : sum / metric_count,
    min_value: lows.length === 0 ? null : Math.min(...lows),
    max_value: highs.length === 0 ? null : Math.max(...highs),
  };
}
