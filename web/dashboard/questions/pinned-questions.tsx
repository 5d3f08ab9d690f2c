import type { Meta } from "../../../domain/reports/answer.ts";
import type { Funnel } from "../../../domain/reports/funnel.ts";
import type { Retention } from "../../../domain/reports/retention.ts";
import type { AnsweredQuestion, SavedAnswer } from "../../../domain/reports/saved-question.ts";
import type { Trend } from "../../../domain/reports/trend.ts";
import type { Answer } from "../access/use-answer.ts";
import { counted, day, dayRange, number, percent } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { Answered, ProblemNotice } from "../parts/notices.tsx";
import { averageOf } from "../reports/retention-view.tsx";
import { change, nameOf, unitOf } from "../reports/trend-figures.ts";
import { linkTo } from "../use-address.ts";
import { byName, linkToQuestion } from "./questions.ts";

const MOST_LINES = 4;
const WIDTH = 240;
const HEIGHT = 40;

/** The complete buckets of a line, drawn small; the figure next to it says the total in words. */
function Sparkline({ trend: { buckets }, values }: { trend: Trend; values: readonly number[] }) {
  const complete = values.filter((_, index) => buckets[index]?.complete);
  if (complete.length < 2) return null;
  const most = Math.max(1, ...complete);
  const point = (value: number, index: number): string =>
    `${(WIDTH * index) / (complete.length - 1)},${HEIGHT - 1 - ((HEIGHT - 2) * value) / most}`;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      height={HEIGHT}
    >
      <polyline class="tone-0" points={complete.map(point).join(" ")} />
    </svg>
  );
}

function TrendFigures({ trend }: { trend: Trend }) {
  const { series, interval, from, meta, to, timezone } = trend;
  const end = to < meta.data_through ? to : meta.data_through;
  const [only, ...others] = series;
  return (
    <>
      <dl class="pinned-lines">
        {series.slice(0, MOST_LINES).map((line) => (
          <div key={nameOf(line, trend)}>
            <dt>{nameOf(line, trend)}</dt>
            <dd>
              <strong>{number(line.total)}</strong>{" "}
              {line.previous !== undefined && (
                <span class="hint">{change(line.total, line.previous.total)}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {only !== undefined && others.length === 0 && <Sparkline trend={trend} values={only.values} />}
      <p class="hint">
        {series.length > MOST_LINES && `${counted(series.length - MOST_LINES, "more line")}. `}
        {unitOf(trend)} per {interval}, {dayRange(from, end, timezone)}
      </p>
    </>
  );
}

function FunnelFigures({ funnel: { steps, completion, from, to }, zone }: { funnel: Funnel; zone: string }) {
  const { rate, interval } = completion;
  const bounds = interval === null ? "" : ` (95 % interval: ${interval.map(percent).join(" to ")})`;
  return (
    <>
      <p>
        <strong>{percent(rate)}</strong> of {counted(steps[0]?.users ?? 0, "user")} took all {steps.length}{" "}
        steps{bounds}
      </p>
      <p class="hint">{dayRange(from, to, zone)}</p>
    </>
  );
}

function RetentionFigures({ retention }: { retention: Retention }) {
  const { cohorts, interval, from, to, timezone } = retention;
  const users = cohorts.reduce((sum, cohort) => sum + cohort.users, 0);
  return (
    <>
      <p>
        <strong>{percent(averageOf(cohorts, 1))}</strong> came back in the {interval} after the first, on
        average
      </p>
      <p class="hint">
        {counted(users, "user")}, whole {interval}s from {dayRange(from, to, timezone)}
      </p>
    </>
  );
}

/** Says briefly that a report lacks events; its own view says which. */
const Expired = ({ meta: { counts_only_before: before }, zone }: { meta: Meta; zone: string }) =>
  before === undefined ? null : <p class="hint">Some events before {day(before, zone)} have expired.</p>;

const metaOf = (answer: Exclude<SavedAnswer, { problem: string }>): Meta => {
  if ("trend" in answer) return answer.trend.meta;
  return "funnel" in answer ? answer.funnel.meta : answer.retention.meta;
};

function Report({ answer, zone }: { answer: SavedAnswer; zone: string }) {
  if ("trend" in answer) return <TrendFigures trend={answer.trend} />;
  if ("funnel" in answer) return <FunnelFigures funnel={answer.funnel} zone={zone} />;
  if ("retention" in answer) return <RetentionFigures retention={answer.retention} />;
  return (
    <p>
      <Icon name="alarm" /> {answer.problem}
    </p>
  );
}

const Figures = ({ answer, zone }: { answer: SavedAnswer; zone: string }) => (
  <>
    <Report answer={answer} zone={zone} />
    {!("problem" in answer) && <Expired meta={metaOf(answer)} zone={zone} />}
  </>
);

const zoneOf = ({ question }: AnsweredQuestion): string =>
  typeof question.query.timezone === "string" ? question.query.timezone : "UTC";

/** The pinned questions with their figures. Nothing while there are none. */
export function PinnedQuestions({ answer }: { answer: Answer<{ questions: readonly AnsweredQuestion[] }> }) {
  if (answer.problem !== undefined) return <ProblemNotice problem={answer.problem} again={answer.again} />;
  if (answer.value === undefined || answer.value.questions.length === 0) return null;
  return (
    <section aria-labelledby="pinned">
      <div class="title-line">
        <h2 id="pinned">Pinned questions</h2>
        <a href={linkTo(["questions"])}>All saved questions</a>
      </div>
      <Answered answer={answer} what="the pinned questions">
        {({ questions }) => (
          <ul class="pinned">
            {[...questions].sort(byName).map((saved) => (
              <li key={saved.question_id} class="card">
                <h3>
                  <a href={linkToQuestion(saved)}>{saved.name}</a>
                </h3>
                {saved.answer !== undefined && <Figures answer={saved.answer} zone={zoneOf(saved)} />}
              </li>
            ))}
          </ul>
        )}
      </Answered>
    </section>
  );
}
