import type { Instant } from "../../domain/time.ts";
import { DAY } from "../../domain/time.ts";

import { choiceOf, type Random } from "./random.ts";

export type Plan = "guest" | "free" | "plus" | "family";

/** A visitor of the shop and their state. */
export interface Person {
  /** Null without cookies: the events of such a visitor have no user_id. */
  readonly id: string | null;
  readonly country: string;
  readonly hoursAhead: number;
  readonly device: string;
  readonly browser: string;
  /** Activity factor: how much this person views and buys. */
  readonly zeal: number;
  /** Average number of days between visits. */
  readonly gapDays: number;
  /** When the person stops visiting. */
  readonly leavesAt: Instant;
  plan: Plan;
  visits: number;
  purchases: number;
}

const place = choiceOf<readonly [country: string, hoursAhead: number]>([
  [["DE", 1], 26],
  [["GB", 0], 18],
  [["US", -5], 17],
  [["FR", 1], 11],
  [["US", -8], 8],
  [["IN", 5.5], 7],
  [["BR", -3], 6],
  [["JP", 9], 4],
  [["AU", 10], 3],
]);

const equipment = choiceOf<readonly [device: string, browser: string]>([
  [["mobile", "Safari"], 27],
  [["mobile", "Chrome"], 26],
  [["desktop", "Chrome"], 23],
  [["desktop", "Firefox"], 8],
  [["desktop", "Safari"], 7],
  [["desktop", "Edge"], 5],
  [["tablet", "Safari"], 4],
]);

interface Habit {
  readonly gapDays: number;
  /** Average number of days until the last visit. */
  readonly stay: number;
}

const ONCE: Habit = { gapDays: 2, stay: 0 };
// Retention falls to the share of regulars within a few weeks, and stays there.
const habit = choiceOf<Habit>([
  [{ gapDays: 4, stay: 1.5 }, 38],
  [{ gapDays: 4.5, stay: 14 }, 50],
  [{ gapDays: 4, stay: Number.POSITIVE_INFINITY }, 12],
]);

/** A person on their first visit. A pace of 2 halves the days between visits. */
export function newPerson(id: string | null, at: Instant, pace: number, random: Random): Person {
  const [country, hoursAhead] = place(random);
  const [device, browser] = equipment(random);
  const { gapDays, stay } = id === null ? ONCE : habit(random);
  return {
    id,
    country,
    hoursAhead,
    device,
    browser,
    zeal: random.logNormal(1, 0.5),
    gapDays: random.logNormal(gapDays, 0.6) / pace,
    leavesAt: at + random.exponential(stay) * DAY,
    plan: "guest",
    visits: 0,
    purchases: 0,
  };
}
