import { type Instant, isoTime } from "../../time.ts";
import type { MeasuredExperiment } from "../cells.ts";
import { momentOf, type Stage } from "./moment.ts";
import { type Question, type Results, type TimelessResults, timelessResultsOf } from "./results.ts";

/** Results, and the same as JSON. */
export interface Answer {
  readonly results: Results;
  readonly json: string;
}

interface Prepared {
  readonly key: string;
  readonly timeless: TimelessResults;
  /** Their JSON up to the brace that closes it. */
  readonly open: string;
}

/** A name is never empty, and only the last part may have spaces. */
const keyOf = ({ completed, isEnded }: Stage, { confidence, metric }: Question): string =>
  `${completed} ${isEnded} ${confidence ?? ""} ${metric ?? ""}`;

/**
 * Answers a question about results without computing them anew while nothing has changed. It keeps the latest question
 * about each object that storage returned, as long as storage keeps that object; results are a pure function of it, of
 * the question and of the stage, so an answer is never an outdated one.
 */
export class PreparedResults {
  readonly #latest = new WeakMap<MeasuredExperiment, Prepared>();

  answer(measured: MeasuredExperiment, now: Instant, question: Question): Answer {
    const { as_of, ...stage } = momentOf(measured.experiment, measured, now);
    const { timeless, open } = this.#prepare(measured, stage, question);
    const computed_at = isoTime(as_of);
    return { results: { ...timeless, computed_at }, json: `${open},"computed_at":"${computed_at}"}` };
  }

  #prepare(measured: MeasuredExperiment, stage: Stage, question: Question): Prepared {
    const key = keyOf(stage, question);
    const known = this.#latest.get(measured);
    if (known?.key === key) return known;
    const timeless = timelessResultsOf(measured.experiment, measured, stage, question);
    const prepared = { key, timeless, open: JSON.stringify(timeless).slice(0, -1) };
    this.#latest.set(measured, prepared);
    return prepared;
  }
}
