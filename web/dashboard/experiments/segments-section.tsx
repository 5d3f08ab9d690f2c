import type { Results } from "../../../domain/experiments/results/results.ts";
import type { Segments } from "../../../domain/experiments/results/segment-results.ts";
import { getSegments } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { propertyNames, useCatalogue } from "../events/use-catalogue.ts";
import { FilterField } from "../parts/fields.tsx";
import { counted, level, number } from "../parts/format.ts";
import { Answered } from "../parts/notices.tsx";
import { Table } from "../parts/table.tsx";
import { useGuest } from "../shared/guest.ts";
import { setQuery } from "../use-address.ts";
import { differenceCells } from "./metric-cells.ts";

/** One row for each variant of each value. The last cell of a difference, which judges, is left out. */
function rowsOf({ values }: Segments, metricName: string): string[][] {
  return values.flatMap(({ value, variants }) =>
    variants.flatMap(({ variant_name, users, metrics }) => {
      const metric = metrics.find(({ metric_name }) => metric_name === metricName);
      if (metric === undefined) return [];
      const difference = differenceCells({ metric }).slice(0, -1);
      return [[String(value), variant_name, number(users), level(metric.kind, metric.mean), ...difference]];
    }),
  );
}

interface ShownProps {
  readonly segments: Segments;
  readonly metricName: string;
  readonly control: string;
}

function Shown({ segments, metricName, control }: ShownProps) {
  const { property, users, capped, values_left_out } = segments;
  return (
    <>
      <Table
        caption={`${metricName} by ${property}`}
        columns={[
          property,
          "Variant",
          "Users",
          "Result",
          `Difference from ${control}`,
          "Interval",
          "Relative change (interval)",
        ]}
        rows={rowsOf(segments, metricName)}
        stacks
      />
      <p class="hint">
        {counted(users, "user")} had a value of {property} when they were assigned
        {capped && ", of those that were looked at"}.
        {values_left_out > 0 && ` ${counted(values_left_out, "rarer value")} left out.`}
      </p>
    </>
  );
}

interface SegmentsSectionProps {
  readonly testId: number;
  readonly results: Results;
  readonly metricName: string;
  readonly query: URLSearchParams;
}

/** Results by the values of a property that users had when they were assigned. Guests have those of the shared page. */
export function SegmentsSection(props: SegmentsSectionProps) {
  const guest = useGuest();
  if (guest === undefined) return <ChosenSegments {...props} />;
  if (guest.view !== "experiment" || guest.segments === undefined) return null;
  const { metricName, results } = props;
  return (
    <section aria-labelledby="segments-title">
      <Heading metricName={metricName} />
      <Shown segments={guest.segments} metricName={metricName} control={results.control ?? "the control"} />
    </section>
  );
}

const Heading = ({ metricName }: { metricName: string }) => (
  <>
    <h2 id="segments-title">
      {metricName} by segment <span class="tag">exploratory</span>
    </h2>
    <p class="hint">
      The results by a property that users had when they were assigned, such as their country. They decide
      nothing: among many segments one looks good by chance.
    </p>
  </>
);

function ChosenSegments({ testId, results, metricName, query }: SegmentsSectionProps) {
  const property = query.get("segment") ?? "";
  const catalogue = useCatalogue();
  const answer = useAnswer(
    property === "" ? undefined : `segments ${testId} ${property} ${results.computed_at}`,
    (signal) => getSegments(testId, property, signal),
  );
  const known = propertyNames(catalogue, []) ?? [];
  return (
    <section aria-labelledby="segments-title">
      <Heading metricName={metricName} />
      <div class="filters">
        <FilterField
          label="Property"
          hint={known.length === 0 ? "sent with the assignment" : `such as ${known.slice(0, 3).join(", ")}`}
          value={property}
          onValue={(segment) => setQuery({ segment })}
        />
      </div>
      {property !== "" && (
        <Answered answer={answer} what="the segments">
          {({ segments }) => (
            <Shown segments={segments} metricName={metricName} control={results.control ?? "the control"} />
          )}
        </Answered>
      )}
    </section>
  );
}
