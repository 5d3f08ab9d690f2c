import { z } from "zod";
import type { Comparison } from "../comparison.ts";
import { type Candidate, type Case, candidatesOf, type SplitArm } from "./case.ts";
import * as say from "./sentences.ts";
import { tooEarly } from "./shortage.ts";
import { sentences } from "./wording.ts";

export const Verdict = z.strictObject({
  kind: z.enum([
    "winner",
    "loser",
    "guardrail_harmed",
    "guardrail_open",
    "no_difference_yet",
    "no_difference",
    "too_early",
    "broken_split",
    "undeclared",
    "no_data",
  ]),
  metric_name: z.string().nullable(),
  variant_name: z.string().nullable(),
  summary: z.string(),
});
export type Verdict = z.infer<typeof Verdict>;

const noData = (summary: string): Verdict => ({
  kind: "no_data",
  metric_name: null,
  variant_name: null,
  summary,
});

export const noUsers = (isDraft: boolean): Verdict => noData(isDraft ? say.DRAFT : say.NO_USERS);

export const noMetric = (): Verdict => noData(say.NO_METRIC);

export const brokenSplit = (arms: readonly SplitArm[]): Verdict => ({
  kind: "broken_split",
  metric_name: null,
  variant_name: null,
  summary: say.brokenSplit(arms),
});

/** Describes the most used metric where no primary metric is declared, without judging it. */
export function describeUndeclared(matter: Case): Verdict {
  const compared = matter.comparisons.filter(({ metric }) => metric === matter.metric);
  const settled = compared.filter(({ reply }) => reply.interval !== null && excludesZero(reply.interval));
  const shown = largest(settled) ?? largest(compared.filter(({ reply }) => reply.interval !== null));
  return {
    kind: "undeclared",
    metric_name: matter.metric.metric_name,
    variant_name: settled.length > 0 ? nameOf(shown) : null,
    summary: say.undeclared(matter, shown ?? compared[0], settled.length > 0),
  };
}

const excludesZero = ([low, high]: readonly [number, number]): boolean => low > 0 || high < 0;
const nameOf = (comparison: Comparison | undefined): string | null =>
  comparison?.variant.variant.variant_name ?? null;

const effectOf = ({ reply }: Comparison): number => Math.abs(reply.difference ?? 0);
const largest = (compared: readonly Comparison[]): Comparison | undefined =>
  [...compared].sort((a, b) => effectOf(b) - effectOf(a))[0];

/**
 * The verdict on the primary metric, guardrails included, in a fixed order: a variant that is better and harms nothing
 * wins; one that is better but harms a guardrail, or may, is named next; then one that is worse.
 */
export function judge(matter: Case): Verdict {
  const candidates = candidatesOf(matter);
  const judged =
    winner(matter, candidates) ??
    hindered(matter, candidates) ??
    loser(matter, candidates) ??
    open(matter, candidates);
  return { ...judged, summary: sentences(judged.summary, ...say.decidesSince(matter)) };
}

const isBetter = ({ primary }: Candidate): boolean => primary.reply.judged === "better";
const isClear = (candidate: Candidate): boolean =>
  isBetter(candidate) && candidate.harmed.length === 0 && candidate.unkept.length === 0;

const strongest = (candidates: readonly Candidate[]): Candidate | undefined =>
  [...candidates].sort((a, b) => effectOf(b.primary) - effectOf(a.primary))[0];

function verdict(
  kind: Verdict["kind"],
  { metric }: Comparison,
  name: string | null,
  summary: string,
): Verdict {
  return { kind, metric_name: metric.metric_name, variant_name: name, summary };
}

function winner(matter: Case, candidates: readonly Candidate[]): Verdict | undefined {
  const clear = candidates.filter(isClear);
  const best = strongest(clear);
  if (best === undefined) return undefined;
  const others = clear.filter((one) => one !== best).map(({ variant_name }) => variant_name);
  return verdict("winner", best.primary, best.variant_name, say.winner(matter, best, others));
}

/** Better on the primary metric, and yet not to be shipped. */
function hindered(matter: Case, candidates: readonly Candidate[]): Verdict | undefined {
  const better = candidates.filter(isBetter);
  const harmful = strongest(better.filter(({ harmed }) => harmed.length > 0));
  if (harmful !== undefined) {
    return verdict("guardrail_harmed", harmful.primary, harmful.variant_name, say.harmful(matter, harmful));
  }
  const unsure = strongest(better);
  if (unsure === undefined) return undefined;
  return verdict("guardrail_open", unsure.primary, unsure.variant_name, say.unsure(matter, unsure));
}

function loser(matter: Case, candidates: readonly Candidate[]): Verdict | undefined {
  const worse = strongest(candidates.filter(({ primary }) => primary.reply.judged === "worse"));
  const harmful = candidates.find(({ harmed }) => harmed.length > 0);
  const [found, lost] = worse === undefined ? [harmful, harmful?.harmed[0]] : [worse, worse.primary];
  if (found === undefined || lost === undefined) return undefined;
  const others = candidates.filter((one) => one !== found);
  return verdict("loser", lost, found.variant_name, say.loser(matter, lost, others));
}

function open(matter: Case, candidates: readonly Candidate[]): Verdict {
  const ready = candidates.filter(({ primary }) => primary.reply.interval !== null);
  const shown = strongest(ready);
  if (shown === undefined) {
    const [first] = candidates;
    return {
      kind: "too_early",
      metric_name: matter.metric.metric_name,
      variant_name: null,
      summary: tooEarly(matter, first?.primary),
    };
  }
  const all = candidates.map(({ primary }) => primary);
  const kind = matter.progress.isOver ? "no_difference" : "no_difference_yet";
  return verdict(kind, shown.primary, null, say.noDifference(matter, shown.primary, all));
}
