import type { Results } from "../../../domain/experiments/results.ts";
import { counted, isolated, number, wholePercent } from "../parts/format.ts";
import { Icon, type IconName } from "../parts/icon.tsx";

type Kind = Results["verdict"]["kind"];

interface Appearance {
  readonly label: string;
  readonly icon: IconName;
}

// Only a winner looks like one: everything undecided has the same grey.
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

/** The sentence of the server, in which names cannot turn the figures around. */
export function sentenceOf({ verdict, results }: Results): string {
  const names = [verdict.metric_name ?? "", ...results.map(({ variant_name }) => variant_name)];
  return names.reduce((text, name) => text.replaceAll(name, isolated(name)), verdict.summary);
}

function SplitAlert({ results }: { results: Results }) {
  return (
    <section class="alarm" role="alert" aria-labelledby="alarm-title">
      <h2 id="alarm-title">
        <Icon name="alarm" /> The split is broken: decide nothing by this test
      </h2>
      <p class="sentence">{sentenceOf(results)}</p>
      <ul>
        {results.results.map(({ variant_id, variant_name, users, expected_users }) => (
          <li key={variant_id}>
            <strong>{isolated(variant_name)}</strong>: {counted(users, "user")}, where{" "}
            {expected_users === null ? "an unknown number" : number(expected_users)} were expected
          </li>
        ))}
      </ul>
      <p>
        Something decides who is counted: look for a redirect that loses people, a crash or slow page in one
        variant, a cache, bots, or assignments that were made by other weights. Fix it, then start a new test.
      </p>
    </section>
  );
}

/** How often the results may be read without losing their meaning. */
function reading({ confidence_level, planned_users, completed }: Results): string {
  const level = wholePercent(confidence_level);
  if (planned_users === null)
    return `at ${level} confidence: look as often as you like, the verdict stays as reliable.`;
  return completed
    ? `at ${level} confidence, with all planned users.`
    : `at ${level} confidence, once, when the planned users are complete: before that only a large effect has a verdict.`;
}

/** The verdict in one sentence, above everything else. */
export function VerdictBanner({ results }: { results: Results }) {
  const { verdict } = results;
  if (verdict.kind === "broken_split") return <SplitAlert results={results} />;
  return (
    <section class={`verdict verdict-${APPEARANCES[verdict.kind].icon}`} aria-labelledby="verdict-title">
      <h2 id="verdict-title">
        <VerdictLabel kind={verdict.kind} />
      </h2>
      <p class="sentence">{sentenceOf(results)}</p>
      {verdict.metric_name !== null && verdict.kind !== "undeclared" && (
        <p class="hint">
          Judged by <strong>{verdict.metric_name}</strong> {reading(results)}
        </p>
      )}
    </section>
  );
}
