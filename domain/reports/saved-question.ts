import { z } from "zod";
import { Failure } from "../failure.ts";
import { looksLike, Name, recordOf } from "../text.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";
import { isZone } from "./buckets.ts";
import { Funnel } from "./funnel.ts";
import { datesOf, RelativeRange } from "./relative-range.ts";
import { Retention } from "./retention.ts";
import { Trend } from "./trend.ts";

export const MAX_QUESTIONS = 200;
/** They are answered together, in one request. */
export const MAX_PINNED = 12;

export const RANGE_TWICE = "must be left out where the query has from or to";

/** A report with its parameters. */
export const Question = z
  .strictObject({
    report: z.enum(["trend", "funnel", "retention"]),
    range: RelativeRange.nullable()
      .default(null)
      .meta({ description: "A range that moves with time, in place of `from` and `to` of the query." }),
    query: recordOf(z.unknown()).meta({
      description:
        'The parameters of the report\'s endpoint as JSON: {"event_type":["signup"],"where":{"price":{"gte":10}}}.',
    }),
  })
  .refine(({ range, query }) => range === null || !("from" in query || "to" in query), {
    path: ["range"],
    error: RANGE_TWICE,
  })
  .meta({ id: "Question" });
export type Question = z.infer<typeof Question>;

export interface SavedQuestion {
  readonly question_id: string;
  readonly name: string;
  readonly question: Question;
  /** Whether the dashboard's overview shows it. */
  readonly pinned: boolean;
  readonly created_at: Instant;
}

export const SavedQuestionInput = z.strictObject({
  name: Name,
  question: Question,
  pinned: z.boolean().default(false).meta({ description: "Shows it in the dashboard's overview." }),
});

export const SavedQuestionChange = z
  .strictObject({ name: Name, question: Question, pinned: z.boolean() })
  .partial()
  .meta({ description: "Fields that are left out stay as they are." });
export type SavedQuestionChange = z.infer<typeof SavedQuestionChange>;

const shape = {
  question_id: z.string(),
  name: z.string(),
  pinned: z.boolean(),
  question: z.strictObject({
    report: z.string(),
    range: z.string().nullable(),
    query: z.record(z.string(), z.unknown()),
  }),
  created_at: IsoTime,
};

export const SavedQuestionReply = z.strictObject(shape).meta({ id: "SavedQuestion" });
export type SavedQuestionReply = z.infer<typeof SavedQuestionReply>;

/** The report's answer under its name, or why there is none. */
export const SavedAnswer = z.union([
  z.strictObject({ trend: Trend }),
  z.strictObject({ funnel: Funnel }),
  z.strictObject({ retention: Retention }),
  z.strictObject({ problem: z.string() }),
]);
export type SavedAnswer = z.infer<typeof SavedAnswer>;

export const AnsweredQuestion = z
  .strictObject({ ...shape, answer: SavedAnswer.optional() })
  .meta({ id: "AnsweredQuestion" });
export type AnsweredQuestion = z.infer<typeof AnsweredQuestion>;

export const describeQuestion = ({ created_at, ...rest }: SavedQuestion): SavedQuestionReply => ({
  ...rest,
  created_at: isoTime(created_at),
});

/** The parameters of the report now: a relative range becomes the dates that it has in the zone of the query. */
export function parametersOf(
  { range, query }: Pick<Question, "range" | "query">,
  now: Instant,
): Question["query"] {
  if (range === null) return query;
  const { timezone, compare } = query;
  const zone = typeof timezone === "string" && isZone(timezone) ? timezone : "UTC";
  return { ...query, ...datesOf(range, zone, now, compare !== undefined) };
}

/** Returns a question that may be stored with the others, or throws why it may not. */
export function admitted(question: SavedQuestion, stored: readonly SavedQuestion[]): SavedQuestion {
  const others = stored.filter(({ question_id }) => question_id !== question.question_id);
  const namesake = others.find(({ name }) => looksLike(name, question.name));
  if (namesake !== undefined) {
    const detail = `There is a saved question named “${namesake.name}” already: choose another name, or change that one.`;
    throw new Failure("conflict", detail, {
      faults: [{ path: "name", message: "is the name of another saved question" }],
    });
  }
  if (others.length >= MAX_QUESTIONS) {
    throw new Failure(
      "conflict",
      `There are ${MAX_QUESTIONS} saved questions, which is the most: delete one first.`,
    );
  }
  if (question.pinned && others.filter(({ pinned }) => pinned).length >= MAX_PINNED) {
    const detail = `${MAX_PINNED} questions are pinned to the overview, which is the most: unpin one first.`;
    throw new Failure("conflict", detail);
  }
  return question;
}

/** The stored question with a change, or the refusal to change what there is not. */
export function changedQuestion(
  id: string,
  change: SavedQuestionChange,
  stored: readonly SavedQuestion[],
): SavedQuestion {
  const found = stored.find(({ question_id }) => question_id === id);
  if (found === undefined) throw unknownQuestion(id);
  const { name = found.name, question = found.question, pinned = found.pinned } = change;
  return admitted({ ...found, name, question, pinned }, stored);
}

export const unknownQuestion = (id: string): Failure =>
  new Failure(
    "not_found",
    `There is no saved question ${id}. It may have been deleted: load the list again.`,
  );
