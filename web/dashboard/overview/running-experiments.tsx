import { type ListedExperiment, listExperiments } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { sentenceOf, VerdictLabel } from "../experiments/verdict.tsx";
import { counted } from "../parts/format.ts";
import { Answered } from "../parts/notices.tsx";
import { linkTo } from "../use-address.ts";

const MOST = 10;

const Running = ({ test }: { test: ListedExperiment }) => (
  <li>
    <p>
      <a href={linkTo(["experiments", String(test.id)])}>{test.test_name}</a>
      {", "}
      {counted(test.outcome.users, "user")}: <VerdictLabel kind={test.outcome.verdict.kind} />
    </p>
    <p class="hint">
      {sentenceOf(
        test.outcome.verdict,
        test.variants.map(({ variant_name }) => variant_name),
      )}
    </p>
  </li>
);

/** The newest running experiments with their verdicts. */
export function RunningExperiments() {
  const answer = useAnswer("running", (signal) =>
    listExperiments({ status: "running", limit: String(MOST) }, signal),
  );
  return (
    <section class="card" aria-labelledby="running">
      <h2 id="running">Running experiments</h2>
      <Answered answer={answer} what="the experiments">
        {({ items, next }) => (
          <>
            {items.length === 0 && (
              <p>
                No experiment is running. <a href={linkTo(["experiments", "new"])}>Create one.</a>
              </p>
            )}
            <ul class="running">
              {items.map((test) => (
                <Running key={test.id} test={test} />
              ))}
            </ul>
            {next !== null && <a href={linkTo(["experiments"])}>Show all experiments</a>}
          </>
        )}
      </Answered>
    </section>
  );
}
