import type { Retention } from "../../../domain/reports/retention.ts";
import { getRetention } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import type { Changes } from "../address.ts";
import { NoEvents } from "../events/no-events.tsx";
import { typeNames, useCatalogue } from "../events/use-catalogue.ts";
import { Faults, type Option } from "../parts/fields.tsx";
import { counted, day, dayRange, number, percent, period } from "../parts/format.ts";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { SaveQuestion } from "../questions/save-question.tsx";
import { reportPage } from "../shared/pages.ts";
import { Share } from "../shared/share-dialog.tsx";
import type { ViewProps } from "../view.ts";
import { CopyLink } from "./copy-link.tsx";
import { useExperiments, VariantFilter } from "./experiment-fields.tsx";
import { ExpiredNote } from "./expired-note.tsx";
import { QuerySelect, RangeFilter, withNone, ZoneFilter } from "./filter-fields.tsx";
import { variantSettings, variantsOf } from "./filters.ts";
import { FoldedFilters } from "./folded-filters.tsx";
import { hasRange, rangeOf } from "./ranges.ts";

const COHORTS: readonly Option[] = [
  { value: "first", label: "first time" },
  { value: "recurring", label: "every time" },
];
const INTERVALS: readonly Option[] = ["day", "week", "month"].map((value) => ({
  value,
  label: `by ${value}`,
}));
const PERIODS: readonly Option[] = ["4", "8", "12", "26"].map((value) => ({ value, label: value }));

const DEFAULT_DAYS = "90";

/** Cohorts need a longer range than other reports. */
const withDefaults = (query: URLSearchParams): URLSearchParams => {
  const asked = new URLSearchParams(query);
  if (!hasRange(query)) asked.set("days", DEFAULT_DAYS);
  return asked;
};

const questionOf = (query: URLSearchParams, now: number): Changes => ({
  ...rangeOf(query, now),
  event_type: query.get("event_type") ?? undefined,
  return_event_type: query.get("return_event_type") ?? undefined,
  cohort: query.get("cohort") ?? "first",
  interval: query.get("interval") ?? "week",
  periods: query.get("periods") ?? "8",
  ...variantSettings(variantsOf(query)),
});

type Cohort = Retention["cohorts"][number];

const SHADES = 5;

/** The shade of a share, darker for more, as a number of a style sheet class. */
const shadeOf = (share: number): number => Math.min(SHADES, Math.ceil(share * SHADES));

interface CellProps {
  readonly cohort: Cohort;
  readonly index: number;
}

/** A cell of the grid: empty where the period has not begun, marked where it is not over. */
function Cell({ cohort: { users, returned, unfinished }, index }: CellProps) {
  const count = returned[index];
  if (count === undefined) return <td class="not-begun" />;
  if (users === 0) return <td>–</td>;
  const open = unfinished === index;
  return (
    <td class={`shade-${shadeOf(count / users)} ${open ? "unfinished" : ""}`}>
      <strong>
        {percent(count / users)}
        {open && "*"}
      </strong>
      <small>{counted(count, "user")}</small>
    </td>
  );
}

/** The share over all cohorts whose period is over, weighted by their users. */
export function averageOf(cohorts: readonly Cohort[], index: number): number | null {
  const over = cohorts.filter(
    ({ returned, unfinished }) => returned[index] !== undefined && unfinished !== index,
  );
  const users = over.reduce((sum, cohort) => sum + cohort.users, 0);
  return users === 0 ? null : over.reduce((sum, { returned }) => sum + (returned[index] ?? 0), 0) / users;
}

const Average = ({ cohorts, heads }: { cohorts: readonly Cohort[]; heads: readonly number[] }) => (
  <tr class="average">
    <th scope="row">Average</th>
    <td>{number(cohorts.reduce((sum, { users }) => sum + users, 0))}</td>
    {heads.map((index) => {
      const share = averageOf(cohorts, index);
      return (
        <td key={index} class={share === null ? "not-begun" : `shade-${shadeOf(share)}`}>
          {share !== null && <strong>{percent(share)}</strong>}
        </td>
      );
    })}
  </tr>
);

function Grid({ retention }: { retention: Retention }) {
  const { interval, timezone, from, to, cohorts, periods } = retention;
  const heads = Array.from({ length: periods }, (_, index) => index);
  const caption = `Users of each ${interval} who came back, by ${interval}s since`;
  return (
    <Scroll label={caption}>
      <table class="retention">
        <caption>
          <span>
            {caption}; whole {interval}s from {dayRange(from, to, timezone)}, in the time zone {timezone}
          </span>
        </caption>
        <thead>
          <tr>
            <th scope="col">{interval === "week" ? "Week of" : "Began in"}</th>
            <th scope="col">Users</th>
            {heads.map((index) => (
              <th key={index} scope="col">
                {index === 0 ? `same ${interval}` : `${interval} ${index}`}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Average cohorts={cohorts} heads={heads} />
          {cohorts.map((cohort) => (
            <tr key={cohort.start}>
              <th scope="row">
                {interval === "week" ? day(cohort.start, timezone) : period(cohort.start, interval, timezone)}
              </th>
              <td>{number(cohort.users)}</td>
              {heads.map((index) => (
                <Cell key={index} cohort={cohort} index={index} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The cohorts of a retention. */
export function Shown({ retention }: { retention: Retention }) {
  if (retention.cohorts.every(({ users }) => users === 0)) {
    return (
      <EmptyNotice title="No cohorts in this range">
        <p>Choose a longer range or another event. Only events that name a user count here.</p>
      </EmptyNotice>
    );
  }
  return (
    <>
      <Grid retention={retention} />
      <p class="hint">
        Percentages are of the users in the second column; the average is over all users whose period is over.
        An empty cell has not begun yet; <span class="unfinished-key">*</span> in a dashed frame is not over
        yet and can still grow.
      </p>
    </>
  );
}

export function RetentionView({ query }: ViewProps) {
  const catalogue = useCatalogue();
  const asked = withDefaults(query);
  const answer = useAnswer(asked.toString(), (signal) => getRetention(questionOf(asked, Date.now()), signal));
  const names = typeNames(catalogue);
  const experiments = useExperiments();
  const choice = (label: string, name: string, fallback: string, options: readonly Option[] | undefined) => (
    <QuerySelect query={query} label={label} name={name} fallback={fallback} options={options} />
  );
  if (catalogue.value?.total_types === 0) return <NoEvents title="Retention" />;
  return (
    <Faults.Provider value={answer.problem?.faults ?? []}>
      <div class="title-line">
        <h1>Retention</h1>
        <SaveQuestion report="retention" parameters={questionOf(asked, Date.now())} query={asked} />
        <Share page={reportPage("retention", questionOf(asked, Date.now()), asked)} />
        <CopyLink query={asked} />
      </div>
      <div class="filters">
        {choice("Event", "event_type", "", withNone("any event", names))}
        {choice("Cohort by event", "cohort", "first", COHORTS)}
        <FoldedFilters query={query} names={["return_event_type", "interval", "periods"]}>
          {choice("Return event", "return_event_type", "", withNone("the same event", names))}
          {choice("Interval", "interval", "week", INTERVALS)}
          {choice("Periods", "periods", "8", PERIODS)}
          <RangeFilter query={asked} />
          <ZoneFilter query={query} />
          <VariantFilter query={query} experiments={experiments} />
        </FoldedFilters>
      </div>
      <Answered answer={answer} what="the retention">
        {(retention) => (
          <>
            <ExpiredNote meta={retention.meta} zone={retention.timezone} />
            <Shown retention={retention} />
          </>
        )}
      </Answered>
    </Faults.Provider>
  );
}
