import { useEffect, useState } from "preact/hooks";
import { type ListedExperiment, listExperiments, type Page } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { FilterField, SelectField } from "../parts/fields.tsx";
import { counted, day } from "../parts/format.ts";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { linkTo, setQuery } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { zoneOf } from "../zone.ts";
import { ALL, type Listing, SORTS, STATUSES, shownOf, statusAsked } from "./listing.ts";
import { StatusTag } from "./status-tag.tsx";
import { sentenceOf, VerdictLabel } from "./verdict.tsx";

const PAGE = "50";

function Outcome({ test }: { test: ListedExperiment }) {
  const { users, verdict } = test.outcome;
  const names = test.variants.map(({ variant_name }) => variant_name);
  return (
    <>
      <p class="card-users">{counted(users, "user")}</p>
      <div class={verdict.kind === "broken_split" ? "alarm alarm-small" : ""}>
        <VerdictLabel kind={verdict.kind} />
        <p>{sentenceOf(verdict, names)}</p>
      </div>
    </>
  );
}

const Card = ({ test, zone }: { test: ListedExperiment; zone: string }) => (
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
      <Outcome test={test} />
    )}
  </li>
);

const NoExperiments = ({ isAsked }: { isAsked: boolean }) =>
  isAsked ? (
    <EmptyNotice title="No such experiments">
      <p>
        No experiment fits the filters.{" "}
        <a href={linkTo(["experiments"], { status: ALL })}>Show all experiments.</a>
      </p>
    </EmptyNotice>
  ) : (
    <EmptyNotice title="No experiments yet">
      <p>
        An experiment shows variants of a feature to different users, and measures which does better.{" "}
        <a href={linkTo(["experiments", "new"])}>Create the first one</a>, or{" "}
        <a href={linkTo(["sample-size"])}>calculate the sample size first</a>.
      </p>
    </EmptyNotice>
  );

interface ListedProps {
  readonly first: Page<ListedExperiment>;
  readonly listing: Listing;
  readonly zone: string;
}

/** The first page, and the further pages that the user has opened. */
function Listed({ first, listing, zone }: ListedProps) {
  const [cursor, setCursor] = useState<string | undefined>();
  const [pages, setPages] = useState([first]);
  useEffect(() => setPages([first]), [first]);
  const more = useAnswer(cursor, (signal) =>
    listExperiments({ status: statusAsked(listing), limit: PAGE, cursor }, signal),
  );
  useEffect(() => {
    const next = more.value;
    if (next !== undefined) setPages((shown) => [...shown, next]);
  }, [more.value]);
  const tests = pages.flatMap(({ items }) => items);
  const shown = shownOf(tests, listing);
  const next = pages.at(-1)?.next ?? null;
  return (
    <>
      <p class="unseen" role="status">
        {counted(shown.length, "experiment")} shown
      </p>
      {shown.length === 0 && <NoExperiments isAsked={tests.length > 0 || listing.status !== ""} />}
      <ol class="cards">
        {shown.map((test) => (
          <Card key={test.id} test={test} zone={zone} />
        ))}
      </ol>
      <Answered answer={more} what="older experiments">
        {() => null}
      </Answered>
      {next !== null && (
        <p>
          <button type="button" onClick={() => setCursor(next)}>
            Load older experiments
          </button>{" "}
          <span class="hint">The newest {counted(tests.length, "experiment")} are loaded and searched.</span>
        </p>
      )}
    </>
  );
}

export function ExperimentsView({ query }: ViewProps) {
  const of = (name: string): string => query.get(name) ?? "";
  const listing: Listing = { status: of("status"), search: of("search"), sort: of("sort") };
  const status = statusAsked(listing);
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
        <FilterField
          label="Search"
          hint="in names and descriptions"
          value={listing.search}
          onValue={(search) => setQuery({ search })}
        />
        <SelectField
          label="Status"
          value={listing.status}
          options={STATUSES}
          onValue={(value) => setQuery({ status: value })}
        />
        <SelectField
          label="Order"
          value={listing.sort}
          options={SORTS}
          onValue={(sort) => setQuery({ sort })}
        />
      </div>
      <Answered answer={answer} what="the experiments">
        {(first) => <Listed key={status} first={first} listing={listing} zone={zoneOf(query)} />}
      </Answered>
    </>
  );
}
