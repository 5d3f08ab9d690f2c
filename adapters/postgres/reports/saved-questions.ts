import type { SavedQuestion } from "../../../domain/reports/saved-question.ts";
import type { SavedQuestionStore } from "../../../domain/storage.ts";
import type { Query } from "../client.ts";
import type { Database } from "../database.ts";

interface Row extends Pick<SavedQuestion, "question_id" | "name" | "pinned" | "created_at"> {
  readonly question: string;
}

const SELECT = `
  select question_id, name, pinned, question, created_at from saved_questions
  order by created_at, question_id collate "C"`;

// Readers do not wait for this lock, other writers do.
const LOCK = "lock table saved_questions in share row exclusive mode";

const PUT = `
  insert into saved_questions(question_id, name, pinned, question, created_at) values ($1, $2, $3, $4, $5)
  on conflict (question_id) do update
  set name = excluded.name, pinned = excluded.pinned, question = excluded.question`;

const DELETE = "delete from saved_questions where question_id = $1 returning question_id";

async function list(query: Query): Promise<SavedQuestion[]> {
  const rows = await query<Row>(SELECT, []);
  return rows.map(({ question, ...rest }) => ({ ...rest, question: JSON.parse(question) }));
}

/** Stores saved questions. */
export const createSavedQuestionStore = ({ query, transaction }: Database): SavedQuestionStore => ({
  listSavedQuestions: () => list(query),
  putSavedQuestion: (make) =>
    transaction(async (inside) => {
      await inside(LOCK, []);
      const made = make(await list(inside));
      const { question_id, name, pinned, question, created_at } = made;
      await inside(PUT, [question_id, name, pinned, JSON.stringify(question), created_at]);
      return made;
    }),
  deleteSavedQuestion: (id) => transaction(async (inside) => (await inside(DELETE, [id])).length > 0),
});
