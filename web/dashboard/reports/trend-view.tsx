import { useMemo } from "preact/hooks";
import type { Trend } from "../../../domain/reports/trend.ts";
import { getTrend } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import type { Changes } from "../address.ts";
import { NoEvents } from "../events/no-events.tsx";
import { propertyNames, typeNames, useCatalogue } from "../events/use-catalogue.ts";
import { Faults } from "../parts/fields.tsx";
import { compactNumber, counted, dayRange, isolated, number, oneOf, period } from "../parts/format.ts";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { More, Table } from "../parts/table.tsx";
import { DASHES } from "../plots/palette.ts";
import { TimePlot } from "../plots/time-plot.tsx";
import type { TimePlotData } from "../plots/time-plot-data.ts";
import { linkTo } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { BreakdownFilter, ConditionFilter, QuerySelect, RangeFilter, ZoneFilter } from "./filter-fields.tsx";
import { eventsBehind, rangeOf, whereOf } from "./filters.ts";
import { TypeFields } from "./trend-type-fields.tsx";

const MEASURES = [
  { value: "count", label: "Events" },
  { value: "users", label: "Unique users" },
  { value: "sessions", label: "Unique sessions" },
];
const INTERVALS = ["hour", "day", "week", "month"].map((value) => ({ value, label: `per ${value}` }));

const NOUNS = { count: "event", users: "user", sessions: "session" } as const;

// A plot has as many lines as can be distinguished, one of them for all other values.
const mostGroups = (types: number): number =>
  Math.max(1, Math.floor((DASHES.length - types) / Math.max(1, types)));

function questionOf(query: URLSearchParams, now: number): Changes {
  const types = query.getAll("event_type");
  const breakdown = query.get("breakdown") ?? undefined;
  return {
    ...rangeOf(query, now),
    ...whereOf(query),
    event_type: types,
    measure: query.get("measure") ?? "count",
    interval: query.get("interval") ?? "day",
    breakdown,
    limit: breakdown === undefined ? undefined : String(mostGroups(types.length || 1)),
  };
}

type Series = Trend["series"][number];

function nameOf({ event_type, group, is_other }: Series, trend: Trend): string {
  const type = event_type === null ? "all events" : isolated(event_type);
  if (group === undefined) return type;
  const value = is_other
    ? "all other values"
    : group === null
      ? `no ${trend.breakdown}`
      : isolated(String(group));
  return trend.series.some((series) => series.event_type !== event_type) ? `${type}, ${value}` : value;
}

const dataOf = (trend: Trend): TimePlotData => ({
  times: trend.buckets.map(({ start }) => Date.parse(start)),
  zone: trend.timezone,
  lines: trend.series.map((series) => ({ label: nameOf(series, trend), values: series.values })),
  unfinished: trend.buckets.map(({ complete }) => !complete),
  zero: "floor",
  formatTick: compactNumber,
});

function describe(trend: Trend, index: number): string {
  const bucket = trend.buckets[index];
  if (bucket === undefined) return "";
  const values = trend.series.map(
    (series) => `${nameOf(series, trend)}: ${counted(series.values[index] ?? 0, NOUNS[trend.measure])}`,
  );
  const open = bucket.complete ? "" : " (not complete)";
  return `${period(bucket.start, trend.interval, trend.timezone)}${open}: ${values.join("; ")}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const unitOf = ({ measure }: Trend): string => (measure === "count" ? "Events" : `Unique ${NOUNS[measure]}s`);

function Totals({ trend }: { trend: Trend }) {
  const different = trend.measure !== "count";
  return (
    <>
      <Table
        caption={`${unitOf(trend)} over the whole range`}
        columns={["Line", unitOf(trend)]}
        rows={trend.series.map((series) => [nameOf(series, trend), number(series.total)])}
      />
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
    {() => (
      <Table
        caption={`${unitOf(trend)} per ${trend.interval}`}
        columns={[capital(trend.interval), ...trend.series.map((series) => nameOf(series, trend))]}
        rows={trend.buckets.map(({ start, complete }, index) => [
          period(start, trend.interval, trend.timezone) + (complete ? "" : " (not complete)"),
          ...trend.series.map(({ values }) => number(values[index] ?? 0)),
        ])}
      />
    )}
  </More>
);

function Shown({ trend }: { trend: Trend }) {
  const data = useMemo(() => dataOf(trend), [trend]);
  if (trend.series.every(({ total }) => total === 0)) {
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
        label={`${unit}, ${trend.series.length} lines. Latest: ${latest}`}
        unit={unit}
        step={capital(trend.interval)}
        describe={(index) => describe(trend, index)}
      />
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
  const answer = useAnswer(query.toString(), (signal) => getTrend(questionOf(query, Date.now()), signal));
  const choice = (label: string, name: string, fallback: string, options: typeof MEASURES) => (
    <QuerySelect query={query} label={label} name={name} fallback={fallback} options={options} />
  );
  if (catalogue.value?.total_types === 0) return <NoEvents title="Trend" />;
  return (
    <Faults.Provider value={answer.problem?.faults ?? []}>
      <h1>Trend</h1>
      <div class="filters">
        <TypeFields chosen={types} names={typeNames(catalogue)} />
        {choice("Measure", "measure", "count", MEASURES)}
        {choice("Interval", "interval", "day", INTERVALS)}
        <RangeFilter query={query} />
        <ZoneFilter query={query} />
        <BreakdownFilter query={query} properties={properties} />
        <ConditionFilter query={query} properties={properties} />
      </div>
      <Answered answer={answer} what="the trend">
        {(trend) => <Shown trend={trend} />}
      </Answered>
      <p>
        <a href={linkTo(["events"], eventsBehind(query))}>Show these events one by one</a>
      </p>
    </Faults.Provider>
  );
}
