import type { Database } from "better-sqlite3";
import type { SavedQuestion } from "../../../domain/reports/saved-question.ts";
import type { SavedQuestionStore } from "../../../domain/storage.ts";
import { reading } from "../failures.ts";
import type { Writer } from "../writer.ts";

interface Row extends Pick<SavedQuestion, "question_id" | "name" | "created_at"> {
  readonly pinned: number;
  readonly question: string;
}

const fromRow = ({ pinned, question, ...rest }: Row): SavedQuestion => ({
  ...rest,
  pinned: pinned === 1,
  question: JSON.parse(question),
});

const toRow = ({ pinned, question, ...rest }: SavedQuestion): Row => ({
  ...rest,
  pinned: pinned ? 1 : 0,
  question: JSON.stringify(question),
});

/** Stores saved questions. */
export function createSavedQuestionStore(db: Database, writer: Writer): SavedQuestionStore {
  const select = db.prepare<[], Row>(
    "select question_id, name, pinned, question, created_at from saved_questions order by created_at, question_id",
  );
  const put = db.prepare<[Row]>(
    `insert into saved_questions(question_id, name, pinned, question, created_at)
     values (@question_id, @name, @pinned, @question, @created_at)
     on conflict (question_id) do update set name = @name, pinned = @pinned, question = @question`,
  );
  const remove = db.prepare<[string]>("delete from saved_questions where question_id = ?");
  const list = (): SavedQuestion[] => select.all().map(fromRow);
  return {
    listSavedQuestions: () => reading(list),
    putSavedQuestion: (make) =>
      writer.write(1, () => {
        const question = make(list());
        put.run(toRow(question));
        return question;
      }),
    deleteSavedQuestion: (id) => writer.write(1, () => remove.run(id).changes > 0),
  };
}
