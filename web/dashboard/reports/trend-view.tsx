import { useMemo } from "preact/hooks";
import type { Trend } from "../../../domain/reports/trend.ts";
import { getTrend } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import type { Changes } from "../address.ts";
import { NoEvents } from "../events/no-events.tsx";
import { propertyNames, typeNames, useCatalogue } from "../events/use-catalogue.ts";
import { Faults } from "../parts/fields.tsx";
import { counted, dayRange, oneOf } from "../parts/format.ts";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { More, Table } from "../parts/table.tsx";
import { DASHES } from "../plots/palette.ts";
import { TimePlot } from "../plots/time-plot.tsx";
import { SaveQuestion } from "../questions/save-question.tsx";
import { reportPage } from "../shared/pages.ts";
import { Share } from "../shared/share-dialog.tsx";
import { linkTo } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { AnnotationList } from "./annotation-list.tsx";
import { CopyLink } from "./copy-link.tsx";
import { BreakdownFilter, useExperiments, VariantFilter } from "./experiment-fields.tsx";
import { ExpiredNote } from "./expired-note.tsx";
import { CompareFilter, ConditionFilter, QuerySelect, RangeFilter, ZoneFilter } from "./filter-fields.tsx";
import { eventsBehind, namesExperiments, variantSettings, variantsOf, whereOf } from "./filters.ts";
import { FoldedFilters } from "./folded-filters.tsx";
import { isCompared, rangeOf, usualInterval, wholeRangeOf } from "./ranges.ts";
import {
  begun,
  bucketsOf,
  capital,
  dataOf,
  describe,
  drawsPrevious,
  previousRangeOf,
  totalsOf,
  unitOf,
  withMarks,
} from "./trend-figures.ts";
import { TypeFields } from "./trend-type-fields.tsx";
import { useAnnotations } from "./use-annotations.ts";

const MEASURES = [
  { value: "count", label: "Events" },
  { value: "users", label: "Unique users" },
  { value: "sessions", label: "Unique sessions" },
];
const INTERVALS = ["hour", "day", "week", "month"].map((value) => ({ value, label: `per ${value}` }));

// A plot has as many lines as can be distinguished, one of them for all other values.
const mostGroups = (types: number): number =>
  Math.max(1, Math.floor((DASHES.length - types) / Math.max(1, types)));

function questionOf(query: URLSearchParams, now: number): Changes {
  const types = query.getAll("event_type");
  const breakdown = query.get("breakdown") ?? undefined;
  const breakdown_experiment = query.get("breakdown_experiment") ?? undefined;
  const isDivided = (breakdown ?? breakdown_experiment) !== undefined;
  const compared = isCompared(query);
  return {
    ...(compared ? wholeRangeOf : rangeOf)(query, now),
    ...(compared ? { compare: "previous" } : {}),
    ...whereOf(query),
    ...variantSettings(variantsOf(query)),
    event_type: types,
    measure: query.get("measure") ?? "count",
    interval: query.get("interval") ?? usualInterval(query),
    breakdown,
    breakdown_experiment,
    limit: isDivided ? String(mostGroups(types.length || 1)) : undefined,
  };
}

function Totals({ trend }: { trend: Trend }) {
  const different = trend.measure !== "count";
  const before = previousRangeOf(trend);
  const comparison = before === "" ? "" : `, compared with ${before}`;
  return (
    <>
      <Table caption={`${unitOf(trend)} over the whole range${comparison}`} {...totalsOf(trend)} />
      {different && (
        <p class="hint">
          The total counts a user or session of several {trend.interval}s once, so it can be less than their
          sum.
        </p>
      )}
    </>
  );
}

const TrendTable = ({ trend }: { trend: Trend }) => (
  <More summary="Show as a table">
    {() => <Table caption={`${unitOf(trend)} per ${trend.interval}`} {...bucketsOf(trend)} />}
  </More>
);

/** The lines of a trend and its totals. */
export function Shown({ trend: answered }: { trend: Trend }) {
  const trend = useMemo(() => begun(answered), [answered]);
  const annotations = useAnnotations(trend);
  const data = useMemo(() => withMarks(dataOf(trend), annotations.shown), [trend, annotations.shown]);
  if (trend.series.every(({ total, previous }) => total === 0 && !previous?.total)) {
    return (
      <EmptyNotice title="No such events in this range">
        <p>Choose a longer range or another event, or remove conditions.</p>
      </EmptyNotice>
    );
  }
  const unit = `${unitOf(trend)} per ${trend.interval}`;
  const latest = describe(trend, trend.buckets.length - 1);
  return (
    <>
      <TimePlot
        data={data}
        label={`${unit}, ${counted(trend.series.length, "line")}. Latest: ${latest}`}
        unit={unit}
        before={drawsPrevious(trend) ? previousRangeOf(trend) : ""}
        step={capital(trend.interval)}
        describe={(index) => describe(trend, index)}
      />
      <AnnotationList annotations={annotations} zone={trend.timezone} />
      {trend.buckets.some(({ complete }) => !complete) && (
        <p class="hint">
          A hollow point on a dotted line is {oneOf(trend.interval)} that is not complete: it is not over yet,
          or the range, {dayRange(trend.from, trend.to, trend.timezone)}, begins or ends within it.
        </p>
      )}
      <Totals trend={trend} />
      <TrendTable trend={trend} />
    </>
  );
}

export function TrendView({ query }: ViewProps) {
  const catalogue = useCatalogue();
  const types = query.getAll("event_type");
  const properties = propertyNames(catalogue, types);
  const experiments = useExperiments();
  const answer = useAnswer(query.toString(), (signal) => getTrend(questionOf(query, Date.now()), { signal }));
  const choice = (label: string, name: string, fallback: string, options: typeof MEASURES) => (
    <QuerySelect query={query} label={label} name={name} fallback={fallback} options={options} />
  );
  if (catalogue.value?.total_types === 0) return <NoEvents title="Trend" />;
  return (
    <Faults.Provider value={answer.problem?.faults ?? []}>
      <div class="title-line">
        <h1>Trend</h1>
        <SaveQuestion report="trend" parameters={questionOf(query, Date.now())} query={query} />
        <Share page={reportPage("trend", questionOf(query, Date.now()), query)} />
        <CopyLink query={query} />
      </div>
      <div class="filters">
        <TypeFields chosen={types} names={typeNames(catalogue)} />
        <FoldedFilters
          query={query}
          names={["measure", "interval", "breakdown", "breakdown_experiment", "compare"]}
        >
          {choice("Measure", "measure", "count", MEASURES)}
          {choice("Interval", "interval", usualInterval(query), INTERVALS)}
          <RangeFilter query={query} />
          <ZoneFilter query={query} />
          <BreakdownFilter query={query} properties={properties} experiments={experiments} />
          <ConditionFilter query={query} types={types} properties={properties} />
          <VariantFilter query={query} experiments={experiments} />
          <CompareFilter query={query} />
        </FoldedFilters>
      </div>
      <Answered answer={answer} what="the trend">
        {(trend) => (
          <>
            <ExpiredNote meta={trend.meta} zone={trend.timezone} />
            <Shown trend={trend} />
          </>
        )}
      </Answered>
      {!namesExperiments(query) && (
        <p>
          <a href={linkTo(["events"], eventsBehind(query))}>Show these events one by one</a>
        </p>
      )}
    </Faults.Provider>
  );
}
