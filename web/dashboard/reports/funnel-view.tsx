import type { input } from "zod";
import type { Funnel, FunnelQuery } from "../../../domain/reports/funnel.ts";
import { computeFunnel } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { NoEvents } from "../events/no-events.tsx";
import { propertyNames, useCatalogue } from "../events/use-catalogue.ts";
import { Faults, type Option, SelectField } from "../parts/fields.tsx";
import { counted, duration, number, percent } from "../parts/format.ts";
import { Answered, EmptyNotice } from "../parts/notices.tsx";
import { Table } from "../parts/table.tsx";
import { setQuery } from "../use-address.ts";
import type { ViewProps } from "../view.ts";
import { BreakdownFilter, QuerySelect, RangeFilter, ZoneFilter } from "./filter-fields.tsx";
import { StepFields } from "./funnel-step-fields.tsx";
import { parseSteps, type Step } from "./funnel-steps.ts";
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

type FunnelStep = Funnel["steps"][number];
type Body = input<typeof FunnelQuery>;

function questionOf(query: URLSearchParams, steps: readonly Step[], now: number): Body {
  const breakdown = query.get("breakdown") ?? undefined;
  return {
    ...rangeOf(query, now),
    steps: steps.map(({ event_type, where }) => ({ event_type, where })),
    order: (query.get("order") ?? "ordered") as Body["order"],
    window_seconds: Number(query.get("window") ?? DEFAULT_WINDOW),
    ...(breakdown === undefined ? {} : { breakdown }),
  };
}

/** The users who continued from the previous step, and their median time. */
function passage(step: FunnelStep, before: FunnelStep): string {
  const took = step.median_seconds === null ? "" : `, median ${duration(step.median_seconds)}`;
  return `${percent(step.rate_from_previous)} went on, ${number(step.users)} of ${counted(before.users, "user")}${took}`;
}

function StepBar({
  step,
  before,
  index,
}: {
  step: FunnelStep;
  before: FunnelStep | undefined;
  index: number;
}) {
  const share = step.rate_from_start ?? 0;
  return (
    <li>
      {before !== undefined && <p class="passage">↓ {passage(step, before)}</p>}
      <p class="step-name">
        <strong>
          {index + 1}. {step.event_type}
        </strong>
        <span>
          {counted(step.users, "user")}, {percent(step.rate_from_start)} of the first step
        </span>
      </p>
      <svg class="bar" aria-hidden="true" width="100%" height="22">
        <rect class="bar-whole" x="0" y="0" width="100%" height="22" />
        <rect class="bar-part" x="0" y="0" width={`${100 * share}%`} height="22" />
      </svg>
    </li>
  );
}

type Group = Funnel["groups"][number];

function groupName({ group, is_other }: Group, breakdown: string): string {
  if (is_other) return "all other values";
  return group === null ? `no ${breakdown}` : String(group);
}

const stepCell = ({ users, rate_from_start }: FunnelStep, index: number): string =>
  index === 0 ? counted(users, "user") : `${percent(rate_from_start)}, ${counted(users, "user")}`;

const Groups = ({
  groups,
  breakdown,
  steps,
}: {
  groups: readonly Group[];
  breakdown: string;
  steps: Funnel["steps"];
}) => (
  <Table
    caption={`The same by ${breakdown} of each user’s first step; percentages are of it`}
    columns={[breakdown, ...steps.map(({ event_type }, index) => `${index + 1}. ${event_type}`)]}
    rows={groups.map((group) => [groupName(group, breakdown), ...group.steps.map(stepCell)])}
    stacks
  />
);

function Shown({ funnel }: { funnel: Funnel }) {
  const { steps, breakdown, groups, window_seconds } = funnel;
  if (steps[0]?.users === 0) {
    return (
      <EmptyNotice title="No user took the first step in this range">
        <p>Choose a longer range or another first step. Only events with a user_id count here.</p>
      </EmptyNotice>
    );
  }
  return (
    <>
      <h2>
        {percent(steps.at(-1)?.rate_from_start ?? null)} of users complete the funnel within{" "}
        {duration(window_seconds)}
      </h2>
      <ol class="funnel">
        {steps.map((step, index) => (
          <StepBar key={index} step={step} before={steps[index - 1]} index={index} />
        ))}
      </ol>
      {breakdown !== null && <Groups groups={groups} breakdown={breakdown} steps={steps} />}
    </>
  );
}

const TooFewSteps = () => (
  <EmptyNotice title="Choose at least two steps">
    <p>A funnel shows how many users go from one event to the next, and where they leave.</p>
  </EmptyNotice>
);

export function FunnelView({ query }: ViewProps) {
  const catalogue = useCatalogue();
  const steps = parseSteps(query.get("steps"));
  const ready = steps.length >= 2;
  const answer = useAnswer(ready ? query.toString() : undefined, (signal) =>
    computeFunnel(questionOf(query, steps, Date.now()), signal),
  );
  const types = steps.map(({ event_type }) => event_type).slice(0, 1);
  if (catalogue.value?.total_types === 0) return <NoEvents title="Funnel" />;
  return (
    <Faults.Provider value={answer.problem?.faults ?? []}>
      <h1>Funnel</h1>
      <StepFields steps={steps} catalogue={catalogue} />
      <div class="filters">
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
        <BreakdownFilter query={query} properties={propertyNames(catalogue, types)} />
      </div>
      {ready ? (
        <Answered answer={answer} what="the funnel">
          {(funnel) => <Shown funnel={funnel} />}
        </Answered>
      ) : (
        <TooFewSteps />
      )}
    </Faults.Provider>
  );
}
