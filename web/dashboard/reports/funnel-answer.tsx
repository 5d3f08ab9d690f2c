import type { Funnel } from "../../../domain/reports/funnel.ts";
import { SelectField } from "../parts/fields.tsx";
import { counted, duration, moment, number, percent } from "../parts/format.ts";
import { EmptyNotice } from "../parts/notices.tsx";
import { Table } from "../parts/table.tsx";
import { IntervalLine } from "../plots/interval-plot.tsx";
import { useGuest } from "../shared/guest.ts";
import { linkTo, setQuery } from "../use-address.ts";
import { zoneOf } from "../zone.ts";
import { type ListedUsers, listedText, listedUsers } from "./funnel-steps.ts";

type FunnelStep = Funnel["steps"][number];

/** Figures that list the users whom they count. Guests have the figures alone. */
function UsersLink({ listed, text }: { listed: ListedUsers; text: string }) {
  if (useGuest() !== undefined) return <>{text}</>;
  return (
    <button type="button" class="link inline" onClick={() => setQuery({ users: listedText(listed) })}>
      {text}
    </button>
  );
}

/** The users who went on from the previous step, their median time, and those who left. */
function Passage({ step, before, index }: { step: FunnelStep; before: FunnelStep; index: number }) {
  const took = step.median_seconds === null ? "" : `, median ${duration(step.median_seconds)}`;
  const left = before.users - step.users;
  return (
    <p class="passage">
      ↓ {percent(step.rate_from_previous)} went on, {number(step.users)} of {counted(before.users, "user")}
      {took}
      {left > 0 && (
        <>
          {" · "}
          <UsersLink listed={{ outcome: "left", step: index }} text={`${counted(left, "user")} left here`} />
        </>
      )}
    </p>
  );
}

interface StepBarProps {
  readonly step: FunnelStep;
  readonly before: FunnelStep | undefined;
  readonly index: number;
}

function StepBar({ step, before, index }: StepBarProps) {
  const share = step.rate_from_start ?? 0;
  return (
    <li>
      {before !== undefined && <Passage step={step} before={before} index={index} />}
      <p class="step-name">
        <strong>
          {index + 1}. {step.event_type}
        </strong>
        <span>
          <UsersLink listed={{ outcome: "reached", step: index + 1 }} text={counted(step.users, "user")} />,{" "}
          {percent(step.rate_from_start)} of the first step
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
type Completion = Funnel["completion"];

function groupName({ group, is_other }: Group, breakdown: string): string {
  if (is_other) return "all other values";
  return group === null ? `no ${breakdown}` : String(group);
}

const stepCell = ({ users, rate_from_start }: FunnelStep, index: number): string =>
  index === 0 ? counted(users, "user") : `${percent(rate_from_start)}, ${counted(users, "user")}`;

const intervalText = ({ interval }: Completion): string =>
  interval === null ? "–" : `${percent(interval[0])} to ${percent(interval[1])}`;

/** A share on a scale that all groups have in common. */
function CompletionCell({ completion, most }: { completion: Completion; most: number }) {
  const { rate, interval } = completion;
  if (rate === null) return "–";
  return (
    <div class="difference undecided">
      <strong>{percent(rate)}</strong>
      <IntervalLine
        spread={{ estimate: rate, interval }}
        scale={{ low: 0, high: most, ticks: [] }}
        height={14}
      />
      <small>{intervalText(completion)}</small>
    </div>
  );
}

const SORTS = [
  { value: "", label: "Most users first" },
  { value: "completion", label: "Best completion first" },
];

interface GroupsProps {
  readonly funnel: Funnel;
  /** The breakdown, in words. */
  readonly breakdown: string;
  readonly sort: string;
}

/** The funnel by the values of a property, or by the variants of an experiment. */
function Groups({ funnel: { groups, steps, breakdown_experiment }, breakdown, sort }: GroupsProps) {
  const ofFirstStep = breakdown_experiment === undefined ? " of each user’s first step" : "";
  const rate = ({ completion }: Group): number => completion.rate ?? -1;
  const sorted = sort === "completion" ? [...groups].sort((a, b) => rate(b) - rate(a)) : groups;
  const most = Math.max(...groups.map(({ completion }) => completion.interval?.[1] ?? 0));
  return (
    <>
      <div class="filters">
        <SelectField
          label="Order of the values"
          value={sort}
          options={SORTS}
          onValue={(value) => setQuery({ group_sort: value })}
        />
      </div>
      <Table
        caption={`The same by ${breakdown}${ofFirstStep}; percentages are of the first step, completion with its 95\u00a0% interval`}
        columns={[
          breakdown,
          ...steps.map(({ event_type }, index) => `${index + 1}. ${event_type}`),
          "Completion",
        ]}
        rows={sorted.map((group) => [
          groupName(group, breakdown),
          ...group.steps.map(stepCell),
          <CompletionCell key="completion" completion={group.completion} most={most} />,
        ])}
        stacks
      />
    </>
  );
}

interface UserListProps {
  readonly funnel: Funnel;
  readonly listed: ListedUsers;
  readonly zone: string;
}

/** The users of a step, each with a link to what they did. */
function UserList({ funnel: { users, steps }, listed: { outcome, step }, zone }: UserListProps) {
  const name = steps[step - 1]?.event_type ?? "";
  const who = outcome === "left" ? `left after “${name}”` : `reached “${name}”`;
  return (
    <section aria-labelledby="users-title">
      <h2 id="users-title">Users who {who}</h2>
      <p class="hint" role="status">
        {users === null || users.length === 0
          ? "There are none in this range."
          : `The ${counted(users.length, "user")} whose way through the funnel began last.`}
      </p>
      {users !== null && users.length > 0 && (
        <Table
          caption={`Users who ${who}`}
          columns={["User", "First step"]}
          rows={users.map(({ user_id, began_at }) => [
            <a key={user_id} href={linkTo(["users", user_id])}>
              {user_id}
            </a>,
            moment(began_at, zone),
          ])}
        />
      )}
      <button type="button" onClick={() => setQuery({ users: undefined })}>
        Close the list
      </button>
    </section>
  );
}

interface FunnelAnswerProps {
  readonly funnel: Funnel;
  readonly query: URLSearchParams;
}

/** How many users go from step to step, which groups complete the funnel, and who they are. */
export function FunnelAnswer({ funnel, query }: FunnelAnswerProps) {
  const { steps, breakdown, breakdown_experiment, completion, window_seconds } = funnel;
  const by = breakdown_experiment === undefined ? breakdown : `variant of ${breakdown_experiment}`;
  const guest = useGuest();
  const listed = guest === undefined ? listedUsers(query, steps.length) : undefined;
  if (steps[0]?.users === 0) {
    return (
      <EmptyNotice title="No user took the first step in this range">
        <p>Choose a longer range or another first step. Only events that name a user count here.</p>
      </EmptyNotice>
    );
  }
  return (
    <>
      <h2>
        {percent(completion.rate)} of users complete the funnel within {duration(window_seconds)}
      </h2>
      <p class="hint">95&nbsp;% interval: {intervalText(completion)}</p>
      <ol class="funnel">
        {steps.map((step, index) => (
          <StepBar key={index} step={step} before={steps[index - 1]} index={index} />
        ))}
      </ol>
      {listed !== undefined && <UserList funnel={funnel} listed={listed} zone={zoneOf(query)} />}
      {by !== null && <Groups funnel={funnel} breakdown={by} sort={query.get("group_sort") ?? ""} />}
    </>
  );
}
