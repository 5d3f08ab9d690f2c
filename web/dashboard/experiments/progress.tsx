import type { Results } from "../../../domain/experiments/results/results.ts";
import type { Timeline } from "../../../domain/experiments/results/timeline.ts";
import type { SharedExperiment } from "../../../domain/shares/shared-page.ts";
import { counted, day, number, plainNumber } from "../parts/format.ts";
import { paceOf } from "./pace.ts";
import { usersOf } from "./verdict.tsx";

interface ProgressProps {
  readonly test: SharedExperiment;
  readonly results: Results;
  readonly timeline: Timeline;
  readonly zone: string;
}

const DAY = 86_400_000;

const aDay = (users: number): string => (users < 10 ? plainNumber(users) : number(users));

/** When the values of the last planned user have come in. */
function expectation({ test, results, timeline, zone }: ProgressProps, planned: number): string {
  const { planned_users_reached_at: reached, window_days, status } = test;
  const end = (time: number): string => day(new Date(time + window_days * DAY).toISOString(), zone);
  if (results.completed) return "The experiment is complete.";
  if (status === "draft") return "It has not started.";
  if (reached !== null) return `All users are in; their values count until ${end(Date.parse(reached))}.`;
  if (status === "paused") return "It is paused: no users are added.";
  if (status !== "running") return "It ended before the planned number.";
  const pace = paceOf(timeline, planned, Date.parse(results.computed_at));
  return pace === undefined
    ? "No users came in the last seven days: its end cannot be estimated."
    : `At the recent pace of ${aDay(pace.usersADay)} users a day it is complete about ${end(pace.end)}.`;
}

/** How many of the planned users an experiment has, and when it will have all. */
export function Progress(props: ProgressProps) {
  const { planned_users: planned } = props.test;
  if (planned === null) return null;
  const users = usersOf(props.results);
  return (
    <section class="plan" aria-labelledby="plan-title">
      <h2 id="plan-title">Progress</h2>
      <p>
        <progress max={planned} value={Math.min(users, planned)} aria-labelledby="plan-title" />{" "}
        {number(users)} of {counted(planned, "planned user")}. {expectation(props, planned)}
      </p>
    </section>
  );
}
