import type { Timeline } from "../../../domain/experiments/results/timeline.ts";

const DAY = 86_400_000;
/** How many days the pace is taken from: whole weeks, because weekends differ from working days. */
const PACE_DAYS = 7;

/** How fast an experiment gains users, and when it will have all that were planned. */
export interface Pace {
  readonly usersADay: number;
  /** In milliseconds since 1970. */
  readonly end: number;
}

const startOf = ({ day }: Timeline["days"][number]): number => Date.parse(`${day}T00:00:00Z`);

const usersOf = ({ variants }: Timeline["days"][number]): number =>
  variants.reduce((sum, { users }) => sum + users, 0);

/** The pace of the last seven days, or of all where there are fewer. Undefined where no user came in that time. */
export function paceOf({ days }: Pick<Timeline, "days">, planned: number, now: number): Pace | undefined {
  const [first] = days;
  if (first === undefined) return undefined;
  // The figures are those at the end of each day, and days without users have none.
  const since = Math.floor(now / DAY - PACE_DAYS) * DAY;
  const before = days.filter((one) => startOf(one) + DAY <= since).at(-1);
  const from = before === undefined ? startOf(first) : since;
  const users = Math.max(...days.map(usersOf));
  const gained = users - (before === undefined ? 0 : usersOf(before));
  const usersADay = (gained * DAY) / (now - from);
  if (!(usersADay > 0)) return undefined;
  return { usersADay, end: now + ((planned - users) / usersADay) * DAY };
}
