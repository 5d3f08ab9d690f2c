import { useId } from "preact/hooks";
import type { Results } from "../../../domain/experiments/results.ts";
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
  wholePercent,
} from "../parts/format.ts";
import { More, Table } from "../parts/table.tsx";
import { IntervalPlot, type IntervalRow } from "../plots/interval-plot.tsx";

type Variant = Results["results"][number];
type Metric = Variant["metrics"][number];

/** What one variant has come to on the metric of a section. */
interface Arm {
  readonly variant: Variant;
  readonly metric: Metric;
}

const REASONS: Record<string, string> = {
  TOO_FEW_USERS: "too few users",
  ZERO_VARIANCE: "the values do not differ",
  ZERO_CONTROL_MEAN: "the control is at 0",
  CONTROL_NEAR_ZERO: "the control is too close to 0",
  NO_DATA: "no values yet",
  BROKEN_SPLIT: "the split is broken",
};

const because = (reason: string | null): string => (reason === null ? "–" : (REASONS[reason] ?? reason));

const KINDS: Record<Metric["kind"], string> = {
  conversion: "share of users who did it",
  mean: "sum of values per user",
  count: "number of values per user",
  ratio: "sum of values over the sum of its denominator",
};

export const armsOf = (results: Results, metricName: string): Arm[] =>
  results.results.flatMap((variant) =>
    variant.metrics
      .filter(({ metric_name }) => metric_name === metricName)
      .map((metric) => ({ variant, metric })),
  );

/** Only what the verdict is about is set apart; an interval beside zero on any other metric is no verdict. */
function markOf({ verdict }: Results, { variant, metric }: Arm): IntervalRow["mark"] {
  if (verdict.variant_name !== variant.variant_name || verdict.metric_name !== metric.metric_name) {
    return undefined;
  }
  return verdict.kind === "winner" ? "good" : verdict.kind === "loser" ? "bad" : undefined;
}

const rowsOf = (results: Results, arms: readonly Arm[]): IntervalRow[] =>
  arms.flatMap((arm) => {
    const { comparison } = arm.metric;
    if (comparison === null || comparison.difference === null) return [];
    const { difference: estimate, sequential } = comparison;
    return [
      { name: arm.variant.variant_name, estimate, interval: sequential.interval, mark: markOf(results, arm) },
    ];
  });

function differenceCells({ metric: { kind, comparison } }: Arm): string[] {
  if (comparison === null) return ["control", "", ""];
  const { difference: estimate, sequential, sequential_relative: relative, reason } = comparison;
  return [
    estimate === null ? because(reason) : difference(kind, estimate),
    sequential.interval === null ? because(reason) : differenceRange(kind, sequential.interval),
    relative.lift === null || relative.interval === null
      ? because(relative.reason)
      : `${lift(relative.lift)} (${liftRange(relative.interval)})`,
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

function fixedCells({ variant, metric: { kind, comparison } }: Arm): string[] {
  if (comparison === null) return [];
  const { fixed, adjusted, relative, bayesian, reason } = comparison;
  return [
    variant.variant_name,
    fixed.interval === null ? because(reason) : differenceRange(kind, fixed.interval),
    pValue(fixed.p_value),
    pValue(adjusted.p_value),
    relative.lift === null || relative.interval === null
      ? because(relative.reason)
      : `${lift(relative.lift)} (${liftRange(relative.interval)})`,
    bayesian.chance_to_win === null ? "–" : percent(bayesian.chance_to_win),
    bayesian.expected_loss === null ? "–" : difference(kind, bayesian.expected_loss).replace("+", ""),
  ];
}

const FIXED_COLUMNS = [
  "Variant",
  "Interval of the difference",
  "p-value",
  "p-value, adjusted for several comparisons",
  "Relative change (interval)",
  "Chance to be better",
  "Expected loss if shipped",
];

interface FixedFiguresProps {
  readonly arms: readonly Arm[];
  readonly metricName: string;
  readonly level: number;
}

const FixedFigures = ({ arms, metricName, level: confidenceLevel }: FixedFiguresProps) => (
  <More summary="Figures for one look at a planned end">
    {() => (
      <>
        <p>
          These hold only if you look <strong>once</strong>, when the planned number of users is reached.
          Whoever looks every day and stops at the first good figure finds a winner far too often where there
          is none. Decide by the always-valid interval above.
        </p>
        <Table
          caption={`${metricName}: fixed-horizon figures at ${wholePercent(confidenceLevel)} confidence`}
          columns={FIXED_COLUMNS}
          rows={arms.map(fixedCells).filter((cells) => cells.length > 0)}
          stacks
        />
      </>
    )}
  </More>
);

interface MetricSectionProps {
  readonly results: Results;
  readonly metricName: string;
  readonly decides: boolean;
}

/** One metric: how each variant differs from the control, as intervals and as figures. */
export function MetricSection({ results, metricName, decides }: MetricSectionProps) {
  const titleId = useId();
  const arms = armsOf(results, metricName);
  const [first] = arms;
  if (first === undefined) return null;
  const { kind, direction } = first.metric;
  const rows = rowsOf(results, arms);
  const control = results.control ?? "the control";
  const valid = `${wholePercent(results.confidence_level)} always-valid interval`;
  return (
    <section class="metric" aria-labelledby={titleId}>
      <h3 id={titleId}>
        {metricName} {decides && <span class="tag">decides</span>}
      </h3>
      <p class="hint">
        {KINDS[kind]}; {direction === "increase" ? "more" : "less"} is better
      </p>
      {rows.length === 0 ? (
        <p>
          There is no difference to draw yet:{" "}
          {because(first.metric.users === 0 ? "NO_DATA" : "TOO_FEW_USERS")}.
        </p>
      ) : (
        <IntervalPlot
          rows={rows}
          kind={kind}
          direction={direction}
          control={control}
          caption={`Difference from ${control} with its ${valid}`}
        />
      )}
      <Table
        caption={`${metricName} by variant`}
        columns={[
          "Variant",
          "Users",
          "Result",
          `Difference from ${control}`,
          valid,
          "Relative change (interval)",
        ]}
        rows={arms.map(armCells)}
        stacks
      />
      <FixedFigures arms={arms} metricName={metricName} level={results.confidence_level} />
    </section>
  );
}
