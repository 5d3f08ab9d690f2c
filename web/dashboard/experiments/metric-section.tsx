import { useId } from "preact/hooks";
import type { Results } from "../../../domain/experiments/results/results.ts";
import { number, wholePercent } from "../parts/format.ts";
import { Table } from "../parts/table.tsx";
import { IntervalPlot } from "../plots/interval-plot.tsx";
import { IfYouMustChoose } from "./choice-risk.tsx";
import { type Arm, armCells, armsOf, type Metric, marginOf, REASONS, ROLES, rowsOf } from "./metric-cells.ts";

const KINDS: Record<Metric["kind"], string> = {
  conversion: "share of users with at least one",
  mean: "sum of values per user",
  count: "number of values per user",
  ratio: "sum of values over the sum of another metric",
};

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
  const rows = rowsOf(arms);
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
