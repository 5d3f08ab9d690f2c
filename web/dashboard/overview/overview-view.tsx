import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Overview } from "../../../domain/reports/overview.ts";
import type { Trend } from "../../../domain/reports/trend.ts";
import { getOverview, getTrend, listEventTypes, listQuestions } from "../access/api.ts";
import { type Answer, useAnswer } from "../access/use-answer.ts";
import { Faults } from "../parts/fields.tsx";
import { dayRange } from "../parts/format.ts";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { TimePlot } from "../plots/time-plot.tsx";
import { PinnedQuestions } from "../questions/pinned-questions.tsx";
import { AnnotationList } from "../reports/annotation-list.tsx";
import { CopyLink } from "../reports/copy-link.tsx";
import { ExpiredNote } from "../reports/expired-note.tsx";
import { RangeFilter, ZoneFilter } from "../reports/filter-fields.tsx";
import { rangeSettings, usualInterval, wholeRangeOf } from "../reports/ranges.ts";
import { begun, capital, dataOf, describe, previousRangeOf, withMarks } from "../reports/trend-figures.ts";
import { useAnnotations } from "../reports/use-annotations.ts";
import { reportPage } from "../shared/pages.ts";
import { Share } from "../shared/share-dialog.tsx";
import type { ViewProps } from "../view.ts";
import { ActiveUsers } from "./active-users.tsx";
import { Figures } from "./figures.tsx";
import { RunningExperiments } from "./running-experiments.tsx";
import { TopLists } from "./top-lists.tsx";
import { WaitingForEvents } from "./waiting-for-events.tsx";

const ROWS = "6";

const questionOf = (query: URLSearchParams, now: number) => ({
  ...wholeRangeOf(query, now),
  interval: usualInterval(query),
  compare: "previous",
});

/** The users of an overview as the trend that they are. */
const usersTrend = ({ users, lists: _, events: __, active: ___, ...rest }: Overview): Trend => ({
  ...rest,
  measure: "users",
  breakdown: null,
  series: [{ event_type: null, ...users }],
});

function UsersPlot({ overview }: { overview: Overview }) {
  const trend = useMemo(() => begun(usersTrend(overview)), [overview]);
  const annotations = useAnnotations(trend);
  const data = useMemo(() => {
    const all = withMarks(dataOf(trend), annotations.shown);
    return { ...all, lines: all.lines.map((line) => ({ ...line, label: "this period" })) };
  }, [trend, annotations.shown]);
  const unit = `Unique users per ${trend.interval}`;
  return (
    <>
      <TimePlot
        data={data}
        label={`${unit}. Latest: ${describe(trend, trend.buckets.length - 1)}`}
        unit={unit}
        step={capital(trend.interval)}
        before={previousRangeOf(trend)}
        describe={(index) => describe(trend, index)}
      />
      <AnnotationList annotations={annotations} zone={trend.timezone} />
    </>
  );
}

interface ShownProps extends ViewProps {
  readonly overview: Overview;
  readonly sessions: Answer<Trend>;
  /** Shown before the lists. */
  readonly children?: ComponentChildren;
}

/** The figures of a range. */
export function Shown({ overview, sessions, query, children }: ShownProps) {
  const { events, users, active, lists, previous, timezone } = overview;
  const range = rangeSettings(query);
  const against = previous === undefined ? "" : dayRange(previous.from, previous.to, timezone);
  return (
    <>
      <ActiveUsers {...active} />
      <Figures users={users} events={events} sessions={sessions} range={range} />
      <p class="hint">
        {dayRange(overview.from, overview.meta.data_through, timezone)}, compared with {against}, in the time
        zone {timezone}.
      </p>
      <ExpiredNote meta={overview.meta} zone={timezone} />
      {users.total > 0 || users.previous?.total ? <UsersPlot overview={overview} /> : null}
      {children}
      <TopLists lists={lists} range={range} />
    </>
  );
}

const hasNone = ({ events }: Overview): boolean => events.total === 0 && !events.previous?.total;

/** Shown where the range has no events: the first steps where there are none at all. */
function Nothing({ onEvent }: { onEvent: () => void }) {
  const answer = useAnswer("types", listEventTypes);
  return (
    <Answered answer={answer} what="the event types">
      {({ total_types }) =>
        total_types === 0 ? (
          <WaitingForEvents onEvent={onEvent} />
        ) : (
          <EmptyNotice title="No events in this range">
            <p>Choose a longer range.</p>
          </EmptyNotice>
        )
      }
    </Answered>
  );
}

export function OverviewView({ query }: ViewProps) {
  const asked = query.toString();
  const answer = useAnswer(`overview ${asked}`, (signal) =>
    getOverview({ ...questionOf(query, Date.now()), limit: ROWS }, signal),
  );
  const sessions = useAnswer(`sessions ${asked}`, (signal) =>
    getTrend({ ...questionOf(query, Date.now()), measure: "sessions" }, { signal }),
  );
  const pinned = useAnswer("pinned", (signal) => listQuestions({ pinned: "1", include: "answers" }, signal));
  return (
    <Faults.Provider value={answer.problem?.faults ?? []}>
      <div class="title-line">
        <h1>Overview</h1>
        <Share page={reportPage("overview", { ...questionOf(query, Date.now()), limit: ROWS }, query)} />
        <CopyLink query={query} />
      </div>
      <div class="filters">
        <RangeFilter query={query} />
        <ZoneFilter query={query} />
      </div>
      <Answered answer={answer} what="the overview">
        {(overview) =>
          hasNone(overview) ? (
            <>
              <Nothing
                onEvent={() => {
                  answer.again();
                  sessions.again();
                }}
              />
              <PinnedQuestions answer={pinned} />
            </>
          ) : (
            <Shown overview={overview} sessions={sessions} query={query}>
              <PinnedQuestions answer={pinned} />
            </Shown>
          )
        }
      </Answered>
      <RunningExperiments />
    </Faults.Provider>
  );
}
