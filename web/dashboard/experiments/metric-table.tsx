import type { Results } from "../../../domain/experiments/results/results.ts";
import { difference, differenceRange, level } from "../parts/format.ts";
import { Table } from "../parts/table.tsx";
import { IntervalLine, inShownUnit } from "../plots/interval-plot.tsx";
import { type Scale, scaleFor } from "../plots/interval-scale.ts";
import { setQuery } from "../use-address.ts";
import {
  type Arm,
  armsOf,
  because,
  JUDGED,
  type Metric,
  marginOf,
  markOf,
  ROLES,
  rowsOf,
} from "./metric-cells.ts";

interface NameProps {
  readonly metric: Metric;
  readonly isChosen: boolean;
}

/** The metric's name, which shows its details below the table. */
const Name = ({ metric, isChosen }: NameProps) => (
  <>
    <button
      type="button"
      class="link"
      aria-pressed={isChosen}
      onClick={() => setQuery({ metric: metric.metric_name })}
    >
      {metric.metric_name}
    </button>
    <small>
      {ROLES[metric.role]}
      {marginOf(metric)}
    </small>
  </>
);

/** One variant's difference from the control: figure, judgement, and interval on the scale of its metric. */
function Difference({ arm: { metric }, scale }: { arm: Arm; scale: Scale }) {
  const { kind, role, mean, comparison } = metric;
  if (comparison === null) return level(kind, mean);
  const { difference: estimate, interval, judged } = comparison;
  const range = interval === null ? because(comparison) : differenceRange(kind, interval);
  if (estimate === null) return because(comparison);
  return (
    <div class={`difference ${markOf(metric) ?? "undecided"}`}>
      <strong>{difference(kind, estimate)}</strong>
      {judged !== null && role !== "exploratory" && <span class="tag">{JUDGED[judged]}</span>}
      <IntervalLine spread={inShownUnit({ estimate, interval }, kind)} scale={scale} height={14} />
      <small>
        {level(kind, mean)}; {range}
      </small>
    </div>
  );
}

interface MetricTableProps {
  readonly results: Results;
  readonly names: readonly string[];
  /** The metric whose details are shown. */
  readonly chosen: string;
}

/** All metrics and variants at a glance: each cell is a difference from the control. */
export function MetricTable({ results, names, chosen }: MetricTableProps) {
  // The control is first, whatever its place in the experiment.
  const variants = [...results.results].sort((a, b) => Number(b.is_control) - Number(a.is_control));
  const rows = names.map((name) => {
    const arms = armsOf({ results: variants }, name);
    const scale = scaleFor(rowsOf(arms).map((row) => inShownUnit(row, arms[0]?.metric.kind ?? "mean")));
    const [first] = arms;
    return [
      first === undefined ? name : <Name metric={first.metric} isChosen={name === chosen} />,
      ...arms.map((arm) => <Difference key={arm.variant.variant_id} arm={arm} scale={scale} />),
    ];
  });
  return (
    <Table
      caption="Difference of each variant from the control, with its interval; choose a metric for its details"
      columns={[
        "Metric",
        ...variants.map(({ variant_name, is_control }) => `${variant_name}${is_control ? " (control)" : ""}`),
      ]}
      rows={rows}
      stacks
    />
  );
}
