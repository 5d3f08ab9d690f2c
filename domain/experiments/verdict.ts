import { z } from "zod";
import type { Direction } from "../statistics/arm.ts";
import type { Interval } from "../statistics/effect.ts";
import { holm } from "../statistics/multiple-testing.ts";
import { FEWEST_CONVERSIONS, FEWEST_USERS } from "./comparison.ts";

export const Verdict = z.strictObject({
  kind: z.enum(["winner", "loser", "no_difference_yet", "too_early", "broken_split", "no_data"]),
  metric_name: z.string().nullable(),
  variant_name: z.string().nullable(),
  summary: z.string(),
});
export type Verdict = z.infer<typeof Verdict>;

/** What the verdict looks at of one variant, on the metric that decides. */
export interface Candidate {
  readonly variant_name: string;
  readonly users: number;
  readonly converted: number;
  readonly mean: number | null;
}

export interface Challenger extends Candidate {
  readonly difference: number | null;
  /** Always-valid, as they are shown. */
  readonly p_value: number | null;
  readonly interval: Interval | null;
}

export interface Case {
  readonly metric_name: string;
  readonly kind: "conversion" | "mean" | "count" | "ratio";
  readonly direction: Direction;
  readonly alpha: number;
  /** It has been stopped: nobody can let it run any more. */
  readonly isOver: boolean;
  readonly control: Candidate;
  readonly challengers: readonly Challenger[];
}

const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const withSign = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, signDisplay: "exceptZero" });

// A hyphen is easily overlooked in front of a figure.
const signed = (value: number): string => withSign.format(value).replace("-", "−");

const counted = (users: number): string => `${users} ${users === 1 ? "user" : "users"}`;

const quote = (name: string): string => `“${name}”`;

function level({ kind }: Case, mean: number | null): string {
  if (mean === null) return "nothing";
  return kind === "conversion"
    ? `${number.format(100 * mean)} % of users`
    : `${number.format(mean)} per user`;
}

/** The difference with its interval: percentage points of a conversion, else the metric's own unit. */
function margin({ kind }: Case, { difference, interval }: Challenger): string {
  const scale = kind === "conversion" ? 100 : 1;
  const unit = kind === "conversion" ? " percentage points" : "";
  const shown = `${signed(scale * (difference ?? 0))}${unit}`;
  if (interval === null) return shown;
  const [low, high] = interval;
  return `${shown} (between ${signed(scale * low)} and ${signed(scale * high)})`;
}

// What to do, while the test runs and once it is over.
const ADVICE = {
  winner: ["You can stop and ship it.", "You can ship it."],
  loser: ["Do not ship it.", "Do not ship it."],
  no_difference_yet: [
    "Let it run, or stop it if a difference within that range does not matter to you.",
    "It is over: take whichever you prefer if a difference within that range does not matter to you.",
  ],
  too_early: ["Let it run.", "It is over: to know more, run a longer one."],
} as const;

const advice = (kind: keyof typeof ADVICE, { isOver }: Case): string => ADVICE[kind][isOver ? 1 : 0];

function say(
  kind: Verdict["kind"],
  matter: Case | undefined,
  challenger: Candidate | undefined,
  summary: string,
): Verdict {
  return {
    kind,
    metric_name: matter?.metric_name ?? null,
    variant_name: challenger?.variant_name ?? null,
    summary,
  };
}

export const noData = (summary: string): Verdict => say("no_data", undefined, undefined, summary);

export function brokenSplit(
  arms: readonly { variant_name: string; users: number; expected: number }[],
): Verdict {
  const parts = arms.map(
    ({ variant_name, users, expected }) =>
      `${whole.format(users)} users in ${quote(variant_name)} instead of ${whole.format(expected)}`,
  );
  const summary = `The split itself is broken, so no figure can be trusted: ${parts.join(", ")}. Find out why before you decide anything.`;
  return say("broken_split", undefined, undefined, summary);
}

const hasEnoughUsers = ({ users }: Candidate): boolean => users >= FEWEST_USERS;
const hasEnoughConversions = ({ converted }: Candidate): boolean => converted >= FEWEST_CONVERSIONS;

/** Why the two cannot be judged yet; undefined when they can. */
function shortage(matter: Case, challenger: Challenger): string | undefined {
  const arms = [matter.control, challenger];
  const few = arms.find((arm) => !hasEnoughUsers(arm));
  if (few !== undefined) {
    return `${quote(few.variant_name)} has ${counted(few.users)} so far, and ${FEWEST_USERS} are needed`;
  }
  const rare = arms.find((arm) => matter.kind === "conversion" && !hasEnoughConversions(arm));
  if (rare !== undefined) {
    return `${counted(rare.converted)} of ${quote(rare.variant_name)} converted so far, and ${FEWEST_CONVERSIONS} are needed`;
  }
  return challenger.interval === null ? "the values do not differ from user to user" : undefined;
}

type Side = "better" | "worse" | "undecided";

/** With several variants each has its own chance of a false alarm: Holm's correction shares out α among them. */
function sides(matter: Case, ready: readonly Challenger[]): readonly Side[] {
  const adjusted = holm(ready.map(({ p_value }) => p_value ?? 1));
  return ready.map(({ interval }, index) => {
    if (interval === null || (ready.length > 1 && (adjusted[index] ?? 1) > matter.alpha)) return "undecided";
    if (interval[0] > 0) return matter.direction === "increase" ? "better" : "worse";
    if (interval[1] < 0) return matter.direction === "increase" ? "worse" : "better";
    return "undecided";
  });
}

const effectSize = ({ difference }: Challenger): number => Math.abs(difference ?? 0);

function strongest(challengers: readonly Challenger[]): Challenger | undefined {
  return [...challengers].sort((a, b) => effectSize(b) - effectSize(a))[0];
}

function comparisonSentence(matter: Case, challenger: Challenger, words: string): string {
  const { control } = matter;
  return (
    `${quote(challenger.variant_name)} ${words} ${quote(control.variant_name)} on ${matter.metric_name}: ` +
    `${level(matter, challenger.mean)} against ${level(matter, control.mean)}, a difference of ${margin(matter, challenger)}.`
  );
}

function decided(matter: Case, ready: readonly Challenger[]): Verdict | undefined {
  const judged = sides(matter, ready);
  const winner = strongest(ready.filter((_, index) => judged[index] === "better"));
  if (winner !== undefined) {
    return say(
      "winner",
      matter,
      winner,
      `${comparisonSentence(matter, winner, "beats")} ${advice("winner", matter)}`,
    );
  }
  const loser = strongest(ready.filter((_, index) => judged[index] === "worse"));
  if (loser !== undefined) {
    return say(
      "loser",
      matter,
      loser,
      `${comparisonSentence(matter, loser, "does worse than")} ${advice("loser", matter)}`,
    );
  }
  return undefined;
}

/** The verdict on the metric that decides, with one sentence that a person without statistics can act on. */
export function judge(matter: Case): Verdict {
  const ready = matter.challengers.filter((challenger) => shortage(matter, challenger) === undefined);
  const [first] = matter.challengers;
  if (ready.length === 0) {
    const why = first === undefined ? "there is nothing to compare" : shortage(matter, first);
    return say(
      "too_early",
      matter,
      undefined,
      `Too early to say: ${why} before there can be a verdict. ${advice("too_early", matter)}`,
    );
  }
  const verdict = decided(matter, ready);
  if (verdict !== undefined) return verdict;
  const closest = strongest(ready);
  const detail =
    closest === undefined ? "" : ` ${comparisonSentence(matter, closest, "cannot be told from")}`;
  const found = matter.isOver ? "No difference found." : "No difference yet.";
  const summary = `${found}${detail} ${advice("no_difference_yet", matter)}`;
  return say("no_difference_yet", matter, undefined, summary);
}
