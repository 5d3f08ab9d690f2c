import { useEffect, useState } from "preact/hooks";
import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import type { Results } from "../../../domain/experiments/results/results.ts";
import { getResults, listExperiments, type Page } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { SelectField } from "../parts/fields.tsx";
import { counted, day } from "../parts/format.ts";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { linkTo, setQuery } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { zoneOf } from "../zone.ts";
import { StatusTag } from "./status-tag.tsx";
import { sentenceOf, VerdictLabel } from "./verdict.tsx";

const PAGE = "20";

const STATUSES = [
  { value: "", label: "All" },
  { value: "draft", label: "Drafts" },
  { value: "running", label: "Running" },
  { value: "stopped", label: "Stopped" },
  { value: "archived", label: "Archived" },
];

const Outcome = ({ results }: { results: Results }) => (
  <>
    <p class="card-users">
      {counted(
        results.results.reduce((sum, { users }) => sum + users, 0),
        "user",
      )}
    </p>
    <div class={results.verdict.kind === "broken_split" ? "alarm alarm-small" : ""}>
      <VerdictLabel kind={results.verdict.kind} />
      <p>{sentenceOf(results)}</p>
    </div>
  </>
);

function Card({ test, zone }: { test: ExperimentReply; zone: string }) {
  const answer = useAnswer(test.status === "draft" ? undefined : `results ${test.id}`, (signal) =>
    getResults(test.id, signal),
  );
  return (
    <li class="card">
      <div class="title-line">
        <h2>
          <a href={linkTo(["experiments", String(test.id)])}>{test.test_name}</a>
        </h2>
        <StatusTag status={test.status} />
        <span class="hint">
          {test.stopped_at === null
            ? `created ${day(test.created_at, zone)}`
            : `stopped ${day(test.stopped_at, zone)}`}
        </span>
      </div>
      {test.description !== null && <p class="hint">{test.description}</p>}
      {test.status === "draft" ? (
        <p>A draft takes no users yet. Open it to start it.</p>
      ) : (
        <Answered answer={answer} what={`the results of ${test.test_name}`}>
          {(results) => <Outcome results={results} />}
        </Answered>
      )}
    </li>
  );
}

const NoExperiments = ({ status }: { status: string }) =>
  status === "" ? (
    <EmptyNotice title="No experiments yet">
      <p>
        An experiment shows variants of a feature to different users, and measures which does better.{" "}
        <a href={linkTo(["experiments", "new"])}>Create the first one</a>, or{" "}
        <a href={linkTo(["sample-size"])}>calculate the sample size first</a>.
      </p>
    </EmptyNotice>
  ) : (
    <EmptyNotice title="No such experiments">
      <p>
        No experiment has this status. <a href={linkTo(["experiments"])}>Show all experiments.</a>
      </p>
    </EmptyNotice>
  );

interface ListedProps {
  readonly first: Page<ExperimentReply>;
  readonly status: string;
  readonly zone: string;
}

/** The first page, and the further pages that the user has opened. */
function Listed({ first, status, zone }: ListedProps) {
  const [cursor, setCursor] = useState<string | undefined>();
  const [pages, setPages] = useState([first]);
  useEffect(() => setPages([first]), [first]);
  const more = useAnswer(cursor, (signal) => listExperiments({ status, limit: PAGE, cursor }, signal));
  useEffect(() => {
    const next = more.value;
    if (next !== undefined) setPages((shown) => [...shown, next]);
  }, [more.value]);
  const tests = pages.flatMap(({ items }) => items);
  const next = pages.at(-1)?.next ?? null;
  if (tests.length === 0) return <NoExperiments status={status} />;
  return (
    <>
      <ol class="cards">
        {tests.map((test) => (
          <Card key={test.id} test={test} zone={zone} />
        ))}
      </ol>
      <Answered answer={more} what="older experiments">
        {() => null}
      </Answered>
      {next !== null && (
        <button type="button" onClick={() => setCursor(next)}>
          Show older experiments
        </button>
      )}
    </>
  );
}

export function ExperimentsView({ query }: ViewProps) {
  const status = query.get("status") ?? "";
  const answer = useAnswer(`experiments ${status}`, (signal) =>
    listExperiments({ status, limit: PAGE }, signal),
  );
  return (
    <>
      <div class="title-line">
        <h1>Experiments</h1>
        <a class="button primary" href={linkTo(["experiments", "new"])}>
          New experiment
        </a>
      </div>
      <div class="filters">
        <SelectField
          label="Status"
          value={status}
          options={STATUSES}
          onValue={(value) => setQuery({ status: value })}
        />
      </div>
      <Answered answer={answer} what="the experiments">
        {(first) => <Listed key={status} first={first} status={status} zone={zoneOf(query)} />}
      </Answered>
    </>
  );
}
