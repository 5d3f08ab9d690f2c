import { useMemo } from "preact/hooks";
import type { Results } from "../../../domain/experiments/results/results.ts";
import type { Timeline } from "../../../domain/experiments/results/timeline.ts";
import { optionsOf, SelectField } from "../parts/fields.tsx";
import { counted, day, differenceUnit, type MetricKind, wholePercent } from "../parts/format.ts";
import { More, Table } from "../parts/table.tsx";
import { TimePlot } from "../plots/time-plot.tsx";
import { AnnotationList } from "../reports/annotation-list.tsx";
import { withMarks } from "../reports/trend-figures.ts";
import { useAnnotations } from "../reports/use-annotations.ts";
import { setQuery } from "../use-address.ts";
import {
  dataOf,
  describe,
  estimateOf,
  intervalOf,
  type Point,
  pointsOf,
  rangeOf,
  ZONE,
} from "./timeline-points.ts";

interface PlotProps {
  readonly points: readonly Point[];
  readonly kind: MetricKind;
  readonly variant: string;
  readonly control: string;
  readonly level: number;
}

function TimelinePlot({ points, kind, variant, control, level }: PlotProps) {
  const annotations = useAnnotations(rangeOf(points));
  const { shown } = annotations;
  const data = useMemo(() => withMarks(dataOf(points, kind, variant), shown), [points, kind, variant, shown]);
  const last = points.at(-1);
  const latest = last === undefined ? "nothing" : describe(kind, last);
  return (
    <>
      <TimePlot
        data={data}
        label={`Difference of ${variant} from ${control}, day by day. Latest: ${latest}`}
        unit={
          `Difference from ${control} ${kind === "conversion" ? "in " : ""}${differenceUnit(kind)}, as a line, in its ` +
          `${wholePercent(level)} interval; the strong line is 0, no difference`
        }
        step="Day"
        describe={(index) => {
          const point = points[index];
          return point === undefined ? "" : describe(kind, point);
        }}
      />
      <AnnotationList annotations={annotations} zone={ZONE} />
    </>
  );
}

const TimelineTable = ({ points, kind }: { points: readonly Point[]; kind: MetricKind }) => (
  <More summary="Show as a table">
    {() => (
      <Table
        caption="Results at the end of each day"
        columns={["Day (UTC)", "Total users", "Difference", "Interval"]}
        rows={points.map((point) => [
          day(point.date, ZONE),
          counted(point.users, "user"),
          estimateOf(kind, point),
          intervalOf(kind, point),
        ])}
      />
    )}
  </More>
);

interface ShownProps {
  readonly timeline: Timeline;
  readonly metric: Results["results"][number]["metrics"][number];
  readonly variant: string;
  readonly control: string;
}

function Shown({ timeline, metric, variant, control }: ShownProps) {
  const points = useMemo(
    () => pointsOf(timeline, variant, metric.metric_name),
    [timeline, variant, metric.metric_name],
  );
  if (points.length === 0)
    return <p>No day is complete yet. The timeline begins when users have been assigned.</p>;
  const { kind } = metric;
  const [only] = points;
  if (points.length === 1 && only !== undefined) {
    return <p>There is one day so far. {describe(kind, only)}.</p>;
  }
  return (
    <>
      <TimelinePlot
        points={points}
        kind={kind}
        variant={variant}
        control={control}
        level={timeline.confidence_level}
      />
      <TimelineTable points={points} kind={kind} />
    </>
  );
}

interface TimelineSectionProps {
  readonly timeline: Timeline;
  readonly results: Results;
  readonly metricName: string;
  readonly query: URLSearchParams;
}

/** The difference with its interval, day by day. */
export function TimelineSection({ timeline, results, metricName, query }: TimelineSectionProps) {
  const challengers = results.results.filter(({ is_control }) => !is_control);
  const variant = query.get("variant") ?? results.verdict.variant_name ?? challengers[0]?.variant_name ?? "";
  const metric = results.results[0]?.metrics.find(({ metric_name }) => metric_name === metricName);
  if (metric === undefined) return null;
  return (
    <section aria-labelledby="timeline-title">
      <h2 id="timeline-title">{metricName} day by day</h2>
      <p class="hint">The results at the end of each day. The last day shows the current results.</p>
      {challengers.length > 1 && (
        <div class="filters">
          <SelectField
            label="Variant"
            value={variant}
            options={optionsOf(challengers.map(({ variant_name }) => variant_name))}
            onValue={(value) => setQuery({ variant: value })}
          />
        </div>
      )}
      <Shown
        timeline={timeline}
        metric={metric}
        variant={variant}
        control={results.control ?? "the control"}
      />
    </section>
  );
}
