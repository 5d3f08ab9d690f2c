import { useEffect } from "preact/hooks";
import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import type { Results } from "../../../domain/experiments/results/results.ts";
import type { Timeline } from "../../../domain/experiments/results/timeline.ts";
import type { SharedExperiment } from "../../../domain/shares/shared-page.ts";
import { getExperiment, getResults, getTimeline } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { FirstSteps } from "../events/first-steps.tsx";
import { Facts } from "../parts/facts.tsx";
import { counted, moment, number, percent, pValue, wholePercent } from "../parts/format.ts";
import { Answered } from "../parts/notices.tsx";
import { Table } from "../parts/table.tsx";
import { useGuest } from "../shared/guest.ts";
import { experimentPage } from "../shared/pages.ts";
import { Share } from "../shared/share-dialog.tsx";
import { linkTo } from "../use-address.ts";
import { zoneOf } from "../zone.ts";
import { ExperimentActions } from "./experiment-actions.tsx";
import { MetricSection } from "./metric-section.tsx";
import { MetricTable } from "./metric-table.tsx";
import { NotesSection } from "./notes-section.tsx";
import { Progress } from "./progress.tsx";
import { SegmentsSection } from "./segments-section.tsx";
import { SettingsSection } from "./settings-section.tsx";
import { StatusTag } from "./status-tag.tsx";
import { TimelineSection } from "./timeline-section.tsx";
import { usersOf, VerdictBanner } from "./verdict.tsx";

/** Dates, users, and the winner that was chosen. */
function ExperimentFacts({
  test,
  results,
  zone,
}: {
  test: SharedExperiment;
  results: Results;
  zone: string;
}) {
  const { stopped_at } = test;
  const end: [string, string][] =
    stopped_at === null
      ? []
      : [
          ["Stopped", moment(stopped_at, zone)],
          ["Winner chosen", test.winner ?? "none"],
        ];
  return (
    <Facts
      facts={[
        ["Users", number(usersOf(results))],
        ["Control", test.control ?? "none"],
        ["Traffic", `${wholePercent(test.traffic)} of users`],
        ["Created", moment(test.created_at, zone)],
        ...end,
      ]}
    />
  );
}

/** Reports on what the people of each variant did, for those who may ask them. */
function ByVariant({ name }: { name: string }) {
  if (useGuest() !== undefined) return null;
  return (
    <p>
      What people did, by variant:{" "}
      <a href={linkTo(["trend"], { breakdown_experiment: name, measure: "users" })}>trend by variant</a>,{" "}
      <a href={linkTo(["funnel"], { breakdown_experiment: name })}>funnel by variant</a>
    </p>
  );
}

function Split({ results }: { results: Results }) {
  const { sample_ratio } = results;
  const everyone = usersOf(results);
  const sound =
    sample_ratio.reason === "NO_DATA"
      ? "No user has been assigned yet."
      : `The split matches the weights (p-value ${pValue(sample_ratio.p_value)}).`;
  return (
    <section aria-labelledby="split-title">
      <h2 id="split-title">Users by variant</h2>
      {sample_ratio.ok && <p>{sound}</p>}
      {sample_ratio.leaked_users > 0 && (
        <p>{counted(sample_ratio.leaked_users, "user")} got a variant whose weight was 0.</p>
      )}
      {results.crossed > 0 && (
        <p>
          {counted(results.crossed, "user")} with several ids got different variants, and{" "}
          {results.crossed === 1 ? "is" : "are"} left out.
        </p>
      )}
      <Table
        caption="Assigned and expected users"
        columns={["Variant", "Users", "Expected users", "Share of users"]}
        rows={results.results.map(({ variant_name, users, expected_users }) => [
          variant_name,
          number(users),
          expected_users === null ? "–" : number(expected_users),
          percent(everyone === 0 ? null : users / everyone),
        ])}
      />
    </section>
  );
}

const ROLE_ORDER = ["primary", "guardrail", "exploratory"] as const;

/** The metric that decides first, then the guardrails. */
const namesInOrder = ({ results }: Results): string[] =>
  [...(results[0]?.metrics ?? [])]
    .sort((a, b) => ROLE_ORDER.indexOf(a.role) - ROLE_ORDER.indexOf(b.role))
    .map(({ metric_name }) => metric_name);

/** An experiment as the page asks for it. */
interface Asked {
  readonly test: ExperimentReply;
  readonly results: Results;
  readonly timeline: Timeline;
}

interface ShownProps extends Omit<Asked, "test"> {
  readonly test: SharedExperiment;
  readonly query: URLSearchParams;
}

function Figures({ test, results, timeline, query }: ShownProps) {
  const names = namesInOrder(results);
  const wanted = query.get("metric") ?? results.verdict.metric_name ?? "";
  const chosen = names.includes(wanted) ? wanted : (names[0] ?? "");
  return (
    <>
      <section aria-labelledby="metrics-title">
        <h2 id="metrics-title">Metrics</h2>
        <MetricTable results={results} names={names} chosen={chosen} />
        <MetricSection results={results} metricName={chosen} />
      </section>
      <TimelineSection timeline={timeline} results={results} metricName={chosen} query={query} />
      <SegmentsSection testId={test.id} results={results} metricName={chosen} query={query} />
    </>
  );
}

/** The results without what they say of each comparison: where the split is broken, none is better or worse. */
const unjudged = (results: Results): Results => ({
  ...results,
  results: results.results.map((variant) => ({
    ...variant,
    metrics: variant.metrics.map(({ comparison, ...metric }) => ({
      ...metric,
      comparison: comparison === null ? null : { ...comparison, judged: null },
    })),
  })),
});

/** The figures of an experiment, the verdict first. */
export function Shown({ test, results, timeline, query }: ShownProps) {
  const broken = results.verdict.kind === "broken_split";
  const shown = broken ? unjudged(results) : results;
  const figures = <Figures test={test} results={shown} timeline={timeline} query={query} />;
  return (
    <>
      <VerdictBanner results={results} />
      <Progress test={test} results={results} timeline={timeline} zone={zoneOf(query)} />
      <ExperimentFacts test={test} results={results} zone={zoneOf(query)} />
      {usersOf(results) === 0 && <FirstSteps test={test} />}
      {namesInOrder(results).length > 0 && !broken && figures}
      <Split results={results} />
      <ByVariant name={test.test_name} />
      {broken && (
        <details class="withdrawn">
          <summary>Show the unreliable figures</summary>
          {figures}
        </details>
      )}
    </>
  );
}

interface ExperimentViewProps {
  readonly testId: number;
  readonly query: URLSearchParams;
}

export function ExperimentView({ testId, query }: ExperimentViewProps) {
  const answer = useAnswer(`experiment ${testId}`, async (signal): Promise<Asked> => {
    const [test, results, timeline] = await Promise.all([
      getExperiment(testId, signal),
      getResults(testId, signal),
      getTimeline(testId, signal),
    ]);
    return { test, results, timeline };
  });
  const name = answer.value?.test.test_name;
  useEffect(() => {
    if (name !== undefined) document.title = `${name} – Analytics Server`;
  }, [name]);
  return (
    <>
      <p>
        <a href={linkTo(["experiments"])}>All experiments</a>
      </p>
      <h1>{name ?? `Experiment ${testId}`}</h1>
      <Answered answer={answer} what="the experiment">
        {({ test, results, timeline }) => (
          <>
            <div class="title-line">
              <StatusTag status={test.status} />
              {test.description !== null && <p>{test.description}</p>}
              <Share page={experimentPage(testId, query)} />
              <ExperimentActions test={test} results={results} onChange={answer.again} />
            </div>
            <Shown test={test} results={results} timeline={timeline} query={query} />
            <SettingsSection test={test} onChange={answer.again} />
            <NotesSection test={test} zone={zoneOf(query)} onChange={answer.again} />
          </>
        )}
      </Answered>
    </>
  );
}
