import { useEffect, useRef } from "preact/hooks";
import type { SharedAnswer } from "../../../domain/shares/shared-page.ts";
import { getSharedPage } from "../access/api.ts";
import { type Answer, useAnswer } from "../access/use-answer.ts";
import { Shown as ExperimentFigures } from "../experiments/experiment-view.tsx";
import { Written } from "../experiments/notes-section.tsx";
import { StatusTag } from "../experiments/status-tag.tsx";
import { Shown as OverviewFigures } from "../overview/overview-view.tsx";
import { dayRange } from "../parts/format.ts";
import { Answered } from "../parts/notices.tsx";
import { ExpiredNote } from "../reports/expired-note.tsx";
import { FunnelAnswer } from "../reports/funnel-answer.tsx";
import { Shown as RetentionGrid } from "../reports/retention-view.tsx";
import { Shown as TrendFigures } from "../reports/trend-view.tsx";
import { zoneOf } from "../zone.ts";
import { Guest } from "./guest.ts";
import { conditionsText, pageText, settingsWith } from "./pages.ts";

const titleOf = (page: SharedAnswer): string =>
  page.view === "experiment" ? page.experiment.test_name : pageText(page).replace(/, fixed dates$/, "");

const ORDERS: Readonly<Record<string, string>> = {
  strict: "The steps follow each other directly.",
  unordered: "The steps may come in any order.",
};

/** The answer of a report whose figures do not say what has expired. */
function answerOf(page: SharedAnswer) {
  if (page.view === "trend") return page.trend;
  if (page.view === "funnel") return page.funnel;
  return page.view === "retention" ? page.retention : undefined;
}

/** The dates of a report whose figures do not tell them. */
function datesText(page: SharedAnswer): string {
  // A retention has them in its caption.
  const range = page.view === "retention" ? undefined : answerOf(page);
  const zone = zoneOf(settingsWith(new URLSearchParams(), page));
  return range === undefined ? "" : `${dayRange(range.from, range.to, zone)}, in the time zone ${zone}.`;
}

/** The settings of a report that its figures do not tell. */
function hintsOf(page: SharedAnswer): string[] {
  if (page.view === "experiment" || page.view === "overview") return [];
  const { where, experiment, steps, order, return_event_type, cohort } = page.query;
  const conditions = conditionsText(where);
  const ofSteps = [steps ?? []].flat().map((step) => conditionsText(Object(step).where));
  return [
    datesText(page),
    conditions === "" ? "" : `Only events where ${conditions}.`,
    ...Object.entries(Object(experiment)).map(
      ([test, variant]) => `Only people in variant ${variant} of the experiment ${test}.`,
    ),
    ...ofSteps.map((text, index) => (text === "" ? "" : `Step ${index + 1}: only events where ${text}.`)),
    ORDERS[String(order)] ?? "",
    return_event_type === undefined ? "" : `They came back with ${String(return_event_type)}.`,
    cohort === "recurring" ? "Users are in the cohort of every period in which they had the event." : "",
  ].filter((hint) => hint !== "");
}

function Figures({ page, query }: { page: SharedAnswer; query: URLSearchParams }) {
  switch (page.view) {
    case "overview": {
      const sessions: Answer<typeof page.sessions> = {
        value: page.sessions,
        problem: undefined,
        loading: false,
        again: () => {},
      };
      return <OverviewFigures overview={page.overview} sessions={sessions} query={query} />;
    }
    case "trend":
      return <TrendFigures trend={page.trend} />;
    case "funnel":
      return <FunnelAnswer funnel={page.funnel} query={query} />;
    case "retention":
      return <RetentionGrid retention={page.retention} />;
    case "experiment": {
      const { experiment: test, results, timeline } = page;
      return (
        <>
          <div class="title-line">
            <StatusTag status={test.status} />
            {test.description !== null && <p>{test.description}</p>}
          </div>
          <ExperimentFigures test={test} results={results} timeline={timeline} query={query} />
          <Written test={test} zone={zoneOf(query)} />
        </>
      );
    }
  }
}

interface SharedViewProps {
  readonly secret: string;
  /** The settings that the guest has chosen among the figures of the page. */
  readonly query: URLSearchParams;
}

/** The one page of a share link, without a way to any other. */
export function SharedView({ secret, query }: SharedViewProps) {
  const answer = useAnswer(`shared ${secret}`, (signal) => getSharedPage(secret, signal));
  const main = useRef<HTMLElement>(null);
  const { value: page, problem } = answer;
  const failed = problem?.status === 401 ? "This link does not work" : "Shared page";
  const title = page === undefined ? failed : titleOf(page);
  useEffect(() => {
    document.title = `${title} – Analytics Server`;
  }, [title]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header>
        <span class="brand">
          <img src="/icon.svg" alt="" width="28" height="28" /> Analytics Server
        </span>
        {page !== undefined && <p class="shared-note">Shared page, read-only</p>}
      </header>
      <main ref={main} tabIndex={-1}>
        <h1>{title}</h1>
        <Answered answer={answer} what="the shared page">
          {(shared) => {
            const settings = settingsWith(query, shared);
            const meta = answerOf(shared)?.meta;
            return (
              <Guest.Provider value={shared}>
                {hintsOf(shared).map((hint) => (
                  <p key={hint}>{hint}</p>
                ))}
                {meta && <ExpiredNote meta={meta} zone={zoneOf(settings)} />}
                <Figures page={shared} query={settings} />
              </Guest.Provider>
            );
          }}
        </Answered>
      </main>
    </>
  );
}
