import { useId } from "preact/hooks";
import type { Results } from "../../../domain/experiments/results/results.ts";
import {
  counted,
  difference,
  differenceRange,
  level,
  lift,
  liftRange,
  number,
  percent,
  pValue,
  unsignedDifference,
  wholePercent,
} from "../parts/format.ts";
import { More, Table } from "../parts/table.tsx";
import { IntervalPlot, type IntervalRow } from "../plots/interval-plot.tsx";

type Variant = Results["results"][number];
type Metric = Variant["metrics"][number];
type Comparison = NonNullable<Metric["comparison"]>;

/** One variant's figures for the metric of a section. */
interface Arm {
  readonly variant: Variant;
  readonly metric: Metric;
}

const REASONS: Record<Comparison["reasons"][number], string> = {
  TOO_FEW_USERS: "too few users",
  TOO_FEW_WITH_A_VALUE: "too few users with a value",
  ZERO_VARIANCE: "the values do not differ",
  ZERO_CONTROL_MEAN: "the control is at 0",
  CONTROL_NEAR_ZERO: "the control is too close to 0",
  NO_DATA: "no values yet",
  BROKEN_SPLIT: "the split is broken",
};

const because = ({ reasons }: Comparison): string => {
  const [reason] = reasons;
  return reason === undefined ? "–" : REASONS[reason];
};

const KINDS: Record<Metric["kind"], string> = {
  conversion: "share of users with at least one",
  mean: "sum of values per user",
  count: "number of values per user",
  ratio: "sum of values over the sum of another metric",
};

const JUDGED: Record<NonNullable<Comparison["judged"]>, string> = {
  better: "better",
  worse: "worse",
  open: "open",
  within_margin: "within its margin",
};

const ROLES: Record<Metric["role"], string> = {
  primary: "primary metric",
  guardrail: "guardrail",
  exploratory: "exploratory",
};

const armsOf = (results: Results, metricName: string): Arm[] =>
  results.results.flatMap((variant) =>
    variant.metrics
      .filter(({ metric_name }) => metric_name === metricName)
      .map((metric) => ({ variant, metric })),
  );

/** Only the comparison that the verdict names is highlighted; an interval away from zero on another metric is no verdict. */
function markOf({ verdict }: Results, { variant, metric }: Arm): IntervalRow["mark"] {
  if (verdict.variant_name !== variant.variant_name) return undefined;
  if (verdict.kind === "guardrail_harmed") {
    return metric.role === "guardrail" && metric.comparison?.judged === "worse" ? "bad" : undefined;
  }
  if (verdict.metric_name !== metric.metric_name) return undefined;
  return verdict.kind === "winner" ? "good" : verdict.kind === "loser" ? "bad" : undefined;
}

const rowsOf = (results: Results, arms: readonly Arm[]): IntervalRow[] =>
  arms.flatMap((arm) => {
    const { comparison } = arm.metric;
    if (comparison === null || comparison.difference === null) return [];
    const { difference: estimate, interval } = comparison;
    return [{ name: arm.variant.variant_name, estimate, interval, mark: markOf(results, arm) }];
  });

function liftCell(comparison: Comparison): string {
  const { lift: estimate, lift_interval } = comparison;
  if (estimate === null) return because(comparison);
  return lift_interval === null
    ? `${lift(estimate)} (${because(comparison)})`
    : `${lift(estimate)} (${liftRange(lift_interval)})`;
}

/** Difference, interval, relative change, and what that says; for the control its name alone. */
export function differenceCells({
  metric: { kind, comparison },
}: {
  metric: Pick<Metric, "kind" | "comparison">;
}): string[] {
  if (comparison === null) return ["control", "", "", ""];
  const { difference: estimate, interval, approximate, p_value, judged } = comparison;
  const range = interval === null ? because(comparison) : differenceRange(kind, interval);
  return [
    estimate === null ? because(comparison) : difference(kind, estimate),
    approximate && interval !== null ? `${range} (approximate)` : range,
    liftCell(comparison),
    judged === null ? `p-value ${pValue(p_value)}` : `${JUDGED[judged]} (p-value ${pValue(p_value)})`,
  ];
}

function armCells(arm: Arm): string[] {
  const { variant, metric } = arm;
  const users =
    metric.kind === "conversion"
      ? `${number(metric.converted_users)} of ${counted(metric.users, "user")}`
      : counted(metric.users, "user");
  return [variant.variant_name, users, level(metric.kind, metric.mean), ...differenceCells(arm)];
}

const loss = (kind: Metric["kind"], value: number | null): string =>
  value === null ? "–" : unsignedDifference(kind, value);

function choiceCells({ variant, metric: { kind, comparison } }: Arm): string[][] {
  if (comparison === null) return [];
  const { chance_better, chance_best, expected_loss, expected_loss_of_control } =
    comparison.if_you_must_choose;
  return [
    [
      variant.variant_name,
      percent(chance_better),
      percent(chance_best),
      loss(kind, expected_loss),
      loss(kind, expected_loss_of_control),
    ],
  ];
}

const CHOICE_COLUMNS = [
  "Variant",
  "Chance to be better than the control",
  "Chance to be the best of all",
  "Expected loss if shipped",
  "Expected loss if the control stays",
];

const IfYouMustChoose = ({ arms, metricName }: { arms: readonly Arm[]; metricName: string }) => (
  <More summary="If you must choose now">
    {() => (
      <>
        <p>
          These figures are <strong>no</strong> verdict: they show the risk of a choice that cannot wait for
          one. They assume that large differences are rare.
        </p>
        <Table
          caption={`${metricName}: the risk of a choice`}
          columns={CHOICE_COLUMNS}
          rows={arms.flatMap(choiceCells)}
          stacks
        />
      </>
    )}
  </More>
);

const DROPPED: Record<keyof Metric["dropped"], string> = {
  before_assignment: "from before the assignment",
  after_stop: "from after the stop",
  after_window: "from after the window",
  wrong_type: "that are not numbers",
  out_of_range: "out of range",
};

/** Values that are stored but not counted: the first sign of a wrong integration. */
function Dropped({ arms }: { arms: readonly Arm[] }) {
  const parts = Object.entries(DROPPED).flatMap(([reason, words]) => {
    const values = arms.reduce(
      (sum, { metric }) => sum + (metric.dropped[reason as keyof Metric["dropped"]] ?? 0),
      0,
    );
    return values === 0 ? [] : [`${number(values)} ${words}`];
  });
  return parts.length === 0 ? null : <p class="hint">Values that do not count: {parts.join(", ")}.</p>;
}

function marginOf({ kind, margin }: Metric): string {
  if (margin === null) return "";
  const allowed =
    typeof margin === "number" ? unsignedDifference(kind, margin) : wholePercent(margin.relative);
  return `; may get worse by at most ${allowed}`;
}

function Description({ metric }: { metric: Metric }) {
  const { kind, direction, unit, cap } = metric;
  const wanted = { increase: "more is better", decrease: "less is better" };
  return (
    <p class="hint">
      {KINDS[kind]}
      {unit !== null && `, in ${unit}`}
      {cap !== null && `, at most ${number(cap)}`};{" "}
      {direction === null ? "no direction declared" : wanted[direction]}
      {marginOf(metric)}
    </p>
  );
}

interface MetricSectionProps {
  readonly results: Results;
  readonly metricName: string;
}

/** One metric: the difference of each variant from the control, as intervals and as figures. */
export function MetricSection({ results, metricName }: MetricSectionProps) {
  const titleId = useId();
  const arms = armsOf(results, metricName);
  const [first] = arms;
  if (first === undefined) return null;
  const { metric } = first;
  const rows = rowsOf(results, arms);
  const control = results.control ?? "the control";
  const level = arms.flatMap((arm) => arm.metric.comparison?.level ?? [])[0];
  const interval = level === undefined ? "Interval" : `${wholePercent(1 - level)} interval`;
  return (
    <section class="metric" aria-labelledby={titleId}>
      <h3 id={titleId}>
        {metricName} <span class="tag">{ROLES[metric.role]}</span>
      </h3>
      <Description metric={metric} />
      {rows.length === 0 ? (
        <p>No difference yet: {metric.users === 0 ? "no users" : REASONS.TOO_FEW_USERS}.</p>
      ) : (
        <IntervalPlot
          rows={rows}
          kind={metric.kind}
          direction={metric.direction}
          control={control}
          caption={`Difference from ${control} with its ${interval}`}
        />
      )}
      <Table
        caption={`${metricName} by variant`}
        columns={[
          "Variant",
          "Users",
          "Result",
          `Difference from ${control}`,
          interval,
          "Relative change (interval)",
          "Verdict",
        ]}
        rows={arms.map(armCells)}
        stacks
      />
      <Dropped arms={arms} />
      <IfYouMustChoose arms={arms} metricName={metricName} />
    </section>
  );
}
