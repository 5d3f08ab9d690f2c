import type { Results } from "../../../domain/experiments/results/results.ts";
import { counted, isolated, number, wholePercent } from "../parts/format.ts";
import { Icon, type IconName } from "../parts/icon.tsx";

type Kind = Results["verdict"]["kind"];

interface Appearance {
  readonly label: string;
  readonly icon: IconName;
}

// Only a winner is green: all undecided verdicts share one grey.
const APPEARANCES: Record<Kind, Appearance> = {
  winner: { label: "Winner", icon: "good" },
  loser: { label: "Worse than the control", icon: "bad" },
  guardrail_harmed: { label: "Better, but a guardrail got worse", icon: "bad" },
  guardrail_open: { label: "Better, but a guardrail is open", icon: "open" },
  no_difference_yet: { label: "No difference yet", icon: "open" },
  no_difference: { label: "No difference found", icon: "open" },
  too_early: { label: "Too early to say", icon: "open" },
  undeclared: { label: "No metric declared", icon: "open" },
  no_data: { label: "Nothing to judge yet", icon: "open" },
  broken_split: { label: "The split is broken", icon: "alarm" },
};

export const VerdictLabel = ({ kind }: { kind: Kind }) => (
  <strong class={`verdict-label verdict-${APPEARANCES[kind].icon}`}>
    <Icon name={APPEARANCES[kind].icon} /> {APPEARANCES[kind].label}
  </strong>
);

/**
 * The server's sentence after the label of the verdict, which it may begin with. Names are isolated, so that their writing
 * direction does not move the figures.
 */
export const sentenceOf = (verdict: Results["verdict"], variants: readonly string[]): string =>
  [verdict.metric_name ?? "", ...variants].reduce(
    (text, name) => text.replaceAll(name, isolated(name)),
    verdict.summary.replace(`${APPEARANCES[verdict.kind].label}. `, ""),
  );

export const usersOf = ({ results }: Results): number => results.reduce((sum, { users }) => sum + users, 0);

export const variantNames = ({ results }: Results): string[] =>
  results.map(({ variant_name }) => variant_name);

function SplitAlert({ results }: { results: Results }) {
  return (
    <section class="alarm" role="alert" aria-labelledby="alarm-title">
      <h2 id="alarm-title">
        <Icon name="alarm" /> The split is broken: do not decide by this experiment
      </h2>
      <p class="sentence">{sentenceOf(results.verdict, variantNames(results))}</p>
      <ul>
        {results.results.map(({ variant_id, variant_name, users, expected_users }) => (
          <li key={variant_id}>
            <strong>{isolated(variant_name)}</strong>: {counted(users, "user")}, where{" "}
            {expected_users === null ? "an unknown number" : number(expected_users)} were expected
          </li>
        ))}
      </ul>
      <p>
        Users are missing in a way that depends on the variant: look for a redirect that loses users, a crash
        or slow page in one variant, a cache, bots, or assignments made with other weights. Fix it, then start
        a new experiment.
      </p>
    </section>
  );
}

/** How often the results can be read without losing validity. */
function reading({ confidence_level, planned_users, completed }: Results): string {
  const level = wholePercent(confidence_level);
  if (planned_users === null)
    return `at ${level} confidence: you can check as often as you like, the verdict stays reliable.`;
  return completed
    ? `at ${level} confidence, with all planned users.`
    : `at ${level} confidence, once, at the planned number of users. Before that only a large effect gets a verdict.`;
}

/** The verdict in one sentence, at the top of the page. */
export function VerdictBanner({ results }: { results: Results }) {
  const { verdict } = results;
  if (verdict.kind === "broken_split") return <SplitAlert results={results} />;
  return (
    <section class={`verdict verdict-${APPEARANCES[verdict.kind].icon}`} aria-labelledby="verdict-title">
      <h2 id="verdict-title">
        <VerdictLabel kind={verdict.kind} />
      </h2>
      <p class="sentence">{sentenceOf(results.verdict, variantNames(results))}</p>
      {verdict.metric_name !== null && verdict.kind !== "undeclared" && (
        <p class="hint">
          Based on <strong>{verdict.metric_name}</strong> {reading(results)}
        </p>
      )}
    </section>
  );
}
