import { Recent } from "../../recent.ts";
import { type Instant, isoTime } from "../../time.ts";
import type { DayCell, MeasuredExperiment } from "../cells.ts";
import { momentOf, type Stage } from "./moment.ts";
import { type Question, type Results, type TimelessResults, timelessResultsOf } from "./results.ts";
import { type Timeline, timelineOf } from "./timeline.ts";

/** An answer, and the same as JSON. */
export interface Answer<Body> {
  readonly body: Body;
  readonly json: string;
}

/** What was asked last about an experiment, and of which objects that storage returned. */
interface Kept<Body> {
  readonly measured: MeasuredExperiment;
  readonly days: readonly DayCell[] | null;
  readonly key: string;
  readonly body: Body;
  /** Of results up to the brace that closes it. */
  readonly json: string;
}

const MOST_EXPERIMENTS = 100;
const LONGEST_KEPT = 256 * 1024;

/** The latest answer about each of the experiments that were asked about last. */
class Latest<Body> {
  readonly #kept = new Recent<number, Kept<Body>>(MOST_EXPERIMENTS);

  /** The answer that is kept, or a new one; `make` is not called while nothing has changed. */
  of(question: Omit<Kept<Body>, "body" | "json">, make: () => Answer<Body>): Answer<Body> {
    const { measured, days, key } = question;
    const { id } = measured.experiment;
    const known = this.#kept.get(id);
    if (known?.measured === measured && known.days === days && known.key === key) return known;
    const made = make();
    if (made.json.length <= LONGEST_KEPT) this.#kept.set(id, { ...question, ...made });
    else this.#kept.delete(id);
    return made;
  }
}

/** A name is never empty, and only the last part may have spaces. */
const keyOf = ({ completed, isEnded }: Stage, { confidence, metric }: Question): string =>
  `${completed} ${isEnded} ${confidence ?? ""} ${metric ?? ""}`;

/**
 * Answers questions about results without computing them anew while nothing has changed: storage returns the same objects
 * then, and an answer is a pure function of them, of the question and of the stage. So it is never an outdated one.
 */
export class PreparedResults {
  readonly #results = new Latest<TimelessResults>();
  readonly #timelines = new Latest<Timeline>();

  results(measured: MeasuredExperiment, now: Instant, question: Question): Answer<Results> {
    const { experiment } = measured;
    const { as_of, ...stage } = momentOf(experiment, measured, now);
    const { body, json } = this.#results.of({ measured, days: null, key: keyOf(stage, question) }, () => {
      const timeless = timelessResultsOf(experiment, measured, stage, question);
      return { body: timeless, json: JSON.stringify(timeless).slice(0, -1) };
    });
    const computed_at = isoTime(as_of);
    return { body: { ...body, computed_at }, json: `${json},"computed_at":"${computed_at}"}` };
  }

  timeline(measured: MeasuredExperiment, days: readonly DayCell[], now: Instant): Answer<Timeline> {
    const { experiment } = measured;
    const { completed } = momentOf(experiment, measured, now);
    return this.#timelines.of({ measured, days, key: `${completed}` }, () => {
      const timeline = timelineOf(experiment, days, measured, completed);
      return { body: timeline, json: JSON.stringify(timeline) };
    });
  }
}
