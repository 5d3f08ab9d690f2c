import type { input } from "zod";
import type { FunnelQuery } from "../../../domain/reports/funnel.ts";
import { computeFunnel } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { NoEvents } from "../events/no-events.tsx";
import { propertyNames, useCatalogue } from "../events/use-catalogue.ts";
import { Faults, type Option, SelectField } from "../parts/fields.tsx";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { SaveQuestion } from "../questions/save-question.tsx";
import { reportPage } from "../shared/pages.ts";
import { Share } from "../shared/share-dialog.tsx";
import { setQuery } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { zoneOf } from "../zone.ts";
import { CopyLink } from "./copy-link.tsx";
import { BreakdownFilter, useExperiments, VariantFilter } from "./experiment-fields.tsx";
import { ExpiredNote } from "./expired-note.tsx";
import { QuerySelect, RangeFilter, ZoneFilter } from "./filter-fields.tsx";
import { variantsOf } from "./filters.ts";
import { FoldedFilters } from "./folded-filters.tsx";
import { FunnelAnswer } from "./funnel-answer.tsx";
import { StepFields } from "./funnel-step-fields.tsx";
import { listedUsers, parseSteps, type Step } from "./funnel-steps.ts";
import { rangeOf } from "./ranges.ts";

const ORDERS: readonly Option[] = [
  { value: "ordered", label: "in this order" },
  { value: "strict", label: "in this order, nothing in between" },
  { value: "unordered", label: "in any order" },
];

const HOUR = 3_600;
const DAY = 24 * HOUR;
const DEFAULT_WINDOW = 30 * DAY;
const WINDOWS: readonly Option[] = [
  { value: String(HOUR), label: "1 hour" },
  { value: String(DAY), label: "1 day" },
  { value: String(7 * DAY), label: "7 days" },
  { value: String(DEFAULT_WINDOW), label: "30 days" },
  { value: String(90 * DAY), label: "90 days" },
];

type Body = input<typeof FunnelQuery>;

function questionOf(query: URLSearchParams, steps: readonly Step[], now: number): Body {
  const breakdown = query.get("breakdown") ?? undefined;
  const breakdown_experiment = query.get("breakdown_experiment") ?? undefined;
  const experiment = variantsOf(query);
  const listed = listedUsers(query, steps.length);
  return {
    ...rangeOf(query, now),
    steps: steps.map(({ event_type, where }) => ({ event_type, where })),
    order: (query.get("order") ?? "ordered") as Body["order"],
    window_seconds: Number(query.get("window") ?? DEFAULT_WINDOW),
    ...(breakdown === undefined ? {} : { breakdown }),
    ...(breakdown_experiment === undefined ? {} : { breakdown_experiment }),
    ...(Object.keys(experiment).length === 0 ? {} : { experiment }),
    ...(listed === undefined ? {} : { users: listed }),
  };
}

const TooFewSteps = () => (
  <EmptyNotice title="Choose at least two steps">
    <p>A funnel shows how many users go from one event to the next, and where they leave.</p>
  </EmptyNotice>
);

export function FunnelView({ query }: ViewProps) {
  const catalogue = useCatalogue();
  const experiments = useExperiments();
  const steps = parseSteps(query.get("steps"));
  const ready = steps.length >= 2;
  const answer = useAnswer(ready ? query.toString() : undefined, (signal) =>
    computeFunnel(questionOf(query, steps, Date.now()), signal),
  );
  const types = steps.map(({ event_type }) => event_type).slice(0, 1);
  if (catalogue.value?.total_types === 0) return <NoEvents title="Funnel" />;
  return (
    <Faults.Provider value={answer.problem?.faults ?? []}>
      <div class="title-line">
        <h1>Funnel</h1>
        {ready && (
          <SaveQuestion report="funnel" parameters={questionOf(query, steps, Date.now())} query={query} />
        )}
        {ready && <Share page={reportPage("funnel", questionOf(query, steps, Date.now()), query)} />}
        <CopyLink query={query} />
      </div>
      <StepFields query={query} steps={steps} catalogue={catalogue} />
      <div class="filters">
        <BreakdownFilter
          query={query}
          properties={propertyNames(catalogue, types)}
          experiments={experiments}
        />
        <FoldedFilters query={query} names={["order", "window"]}>
          <QuerySelect query={query} label="Order" name="order" fallback="ordered" options={ORDERS} />
          <SelectField
            label="Conversion window"
            path="window_seconds"
            value={query.get("window") ?? String(DEFAULT_WINDOW)}
            options={WINDOWS}
            onValue={(value) => setQuery({ window: value })}
          />
          <RangeFilter query={query} />
          <ZoneFilter query={query} />
          <VariantFilter query={query} experiments={experiments} />
        </FoldedFilters>
      </div>
      {ready ? (
        <Answered answer={answer} what="the funnel">
          {(funnel) => (
            <>
              <ExpiredNote meta={funnel.meta} zone={zoneOf(query)} />
              <FunnelAnswer funnel={funnel} query={query} />
            </>
          )}
        </Answered>
      ) : (
        <TooFewSteps />
      )}
    </Faults.Provider>
  );
}
