import { badEnd, type Comparison } from "../comparison.ts";
import { type Candidate, type Case, controlName, type SplitArm, variantName } from "./case.ts";
import { ifYouMustChoose } from "./choosing.ts";
import { goOn, planned } from "./progress.ts";
import { shortage } from "./shortage.ts";
import {
  amountInWords,
  count,
  differenceInWords,
  figure,
  levelInWords,
  listed,
  metricInWords,
  otherAmount,
  otherLevel,
  quote,
  sentences,
  usersInWords,
} from "./wording.ts";

// One sentence or two for each kind of verdict, which a person without statistics can act on.

export const DRAFT = "This is a draft: nobody is assigned until it runs.";
export const NO_USERS =
  "No user has been assigned yet, so there is nothing to judge: if that is a surprise, check that your program asks for variants.";
export const NO_METRIC =
  "No metric has been declared or tracked yet, so there is nothing to judge: declare one, or track one.";

export function brokenSplit(arms: readonly SplitArm[]): string {
  const parts = arms.map(
    ({ variant_name, users, expected }) =>
      `${usersInWords(users)} in ${quote(variant_name)} instead of ${count(expected)}`,
  );
  return `The split itself is broken, so no figure can be trusted: ${listed(parts)}. Find out why before you decide anything.`;
}

const DATE_LENGTH = "2026-11-22".length;

/** One sentence for each metric that decides and was declared while the experiment ran. */
export function decidesSince({ metric, comparisons }: Case): readonly string[] {
  const guardrails = comparisons.map((one) => one.metric).filter(({ role }) => role === "guardrail");
  return [...new Set([metric, ...guardrails])].flatMap(({ metric_name, declared_at }) =>
    declared_at === null
      ? []
      : [`${metric_name} has decided since ${declared_at.slice(0, DATE_LENGTH)}, when it was declared.`],
  );
}

/** "12 % of users against 10 %, +2 points (between +0.573 and +3.44)" */
function figuresOf({ metric, reply }: Comparison): string {
  const { control_level, variant_level, difference, interval } = reply;
  const levels = `${levelInWords(metric, variant_level ?? 0)} against ${otherLevel(metric, control_level ?? 0)}`;
  return `${levels}, ${differenceInWords(metric, difference ?? 0, interval)}`;
}

/** An arm without any conversion may be an integration that sends nothing. */
function caution({ metric, control }: Case, { variant, sample }: Comparison): string {
  if (metric.kind !== "conversion") return "";
  const empty = [
    { arm: control, side: sample.control },
    { arm: variant, side: sample.variant },
  ].filter(({ side }) => side.converted === 0);
  const names = listed(empty.map(({ arm }) => quote(arm.variant.variant_name)));
  return names === ""
    ? ""
    : `Nobody in ${names} has one: if that is a surprise, check that its values are being sent.`;
}

/** Losses that the guardrails without a margin do not exclude. */
const notExcluded = ({ unbounded }: Candidate): readonly string[] =>
  unbounded.map((guardrail) => `${mayBeWorse(guardrail)}.`);

function mayBeWorse({ metric, reply }: Comparison): string {
  if (reply.interval === null) return `${metric.metric_name} cannot be judged yet`;
  const amount = amountInWords(metric, -badEnd(metric, reply.interval));
  return `${metric.metric_name} may still be up to ${amount} worse`;
}

const isOrAre = (names: readonly string[]): string => (names.length === 1 ? "is" : "are");

export function winner(matter: Case, best: Candidate, others: readonly string[]): string {
  const { primary } = best;
  const also =
    others.length === 0
      ? ""
      : `${listed(others.map(quote))} ${isOrAre(others)} also better than ${controlName(matter)}; which of ${others.length === 1 ? "the two is better" : "them is best"} is not settled.`;
  return sentences(
    `${variantName(primary)} is better than ${controlName(matter)} on ${metricInWords(primary.metric)}: ${figuresOf(primary)}.`,
    "You can ship it.",
    ...notExcluded(best),
    also,
    caution(matter, primary),
  );
}

const isBetterOn = (primary: Comparison): string =>
  `${variantName(primary)} is better on ${metricInWords(primary.metric)} (${figuresOf(primary).replace(" (", ", ").replace(/\)$/, "")})`;

export function harmful(matter: Case, { primary, harmed }: Candidate): string {
  const parts = harmed.map(
    (guardrail) => `${guardrail.metric.metric_name} got worse: ${figuresOf(guardrail)}`,
  );
  return sentences(
    `${isBetterOn(primary)} but ${listed(parts)}.`,
    "Do not ship it as it is.",
    caution(matter, primary),
  );
}

export function unsure(matter: Case, { primary, unkept }: Candidate): string {
  return sentences(
    `${isBetterOn(primary)}, but ${listed(unkept.map((guardrail) => beyondMargin(matter, guardrail)))}.`,
    goOn(matter),
    caution(matter, primary),
  );
}

function beyondMargin(matter: Case, guardrail: Comparison): string {
  const { metric, reply } = guardrail;
  const { margin } = metric;
  if (typeof margin === "number") {
    const allowed = `more than the ${otherAmount(metric, margin)} you allowed`;
    return reply.interval === null ? mayBeWorse(guardrail) : `${mayBeWorse(guardrail)}, ${allowed}`;
  }
  const { interval, lift_interval } = reply;
  if (margin === null || interval === null) return `${metric.metric_name} cannot be judged yet`;
  if (lift_interval === null)
    return `${metric.metric_name} of ${controlName(matter)} is too close to 0 to say what ${figure(100 * margin.relative)} % of it are`;
  const amount = figure(-100 * badEnd(metric, lift_interval));
  return `${metric.metric_name} may still be up to ${amount} % worse, more than the ${figure(100 * margin.relative)} % you allowed`;
}

export function loser(matter: Case, lost: Comparison, others: readonly Candidate[]): string {
  const { metric } = lost;
  const primary = metric === matter.metric;
  const words = primary
    ? `${variantName(lost)} is worse than ${controlName(matter)} on ${metricInWords(metric)}`
    : `${variantName(lost)} makes ${metric.metric_name} worse than ${controlName(matter)}`;
  const judgedAs = (judged: Comparison["reply"]["judged"]) =>
    others
      .filter((one) => one.primary.reply.judged === judged)
      .map(({ variant_name }) => quote(variant_name));
  const [worse, open] = [judgedAs("worse"), judgedAs("open")];
  return sentences(
    `${words}: ${figuresOf(lost)}.`,
    "Do not ship it.",
    worse.length > 0
      ? `${listed(worse)} ${isOrAre(worse)} also worse than ${controlName(matter)} on ${matter.metric.metric_name}.`
      : "",
    open.length > 0 && !matter.progress.isOver ? `${listed(open)} ${isOrAre(open)} not settled yet.` : "",
    primary ? caution(matter, lost) : "",
  );
}

/** `all` are the comparisons of every variant, of which `shown` has the largest difference. */
export function noDifference(matter: Case, shown: Comparison, all: readonly Comparison[]): string {
  const { isOver, isPaused, plannedUsers } = matter.progress;
  const on = `on ${metricInWords(shown.metric)}`;
  const found =
    all.length > 1
      ? `No variant can be told from ${controlName(matter)} ${on}. ${variantName(shown)} differs most: ${figuresOf(shown)}.`
      : `${variantName(shown)} cannot be told from ${controlName(matter)} ${on}: ${figuresOf(shown)}.`;
  const running =
    plannedUsers === null
      ? `${isPaused ? "It is paused: let it run again" : "Let it run"}, or stop it if a difference within that range does not matter to you.`
      : "";
  return sentences(
    planned(matter),
    isOver ? "No difference found." : "No difference yet.",
    found,
    isOver ? ifYouMustChoose(matter, shown, all) : running,
    caution(matter, shown),
  );
}

export function undeclared(matter: Case, shown: Comparison | undefined, settled: boolean): string {
  const name = metricInWords(matter.metric);
  const what =
    matter.metric.kind === "conversion" || matter.metric.kind === "ratio" ? name : `${name} per user`;
  const declare =
    matter.metric.direction === null
      ? "No metric was declared, so whether more is better is yours to say: declare it to get a verdict."
      : "No primary metric was declared, so nothing is decided: declare one to get a verdict.";
  if (shown === undefined || shown.reply.interval === null) {
    const why = shown === undefined ? "there is nothing to compare" : shortage(matter, shown);
    return `Too early to compare ${what}: ${why}. ${declare}`;
  }
  const { control_level, variant_level, difference, interval } = shown.reply;
  const figures = `${otherLevel(shown.metric, variant_level ?? 0)} against ${otherLevel(shown.metric, control_level ?? 0)}, ${differenceInWords(shown.metric, difference ?? 0, interval)}`;
  if (!settled) {
    return `${variantName(shown)} cannot be told from ${controlName(matter)} in ${what}: ${figures}. ${declare}`;
  }
  const more = (difference ?? 0) > 0 ? "more" : "less";
  return `${variantName(shown)} has ${more} ${what} than ${controlName(matter)}: ${figures}. ${declare}`;
}
