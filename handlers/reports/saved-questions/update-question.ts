import { z } from "zod";
import {
  changedQuestion,
  describeQuestion,
  SavedQuestionChange,
  SavedQuestionReply,
} from "../../../domain/reports/saved-question.ts";
import { Name } from "../../../domain/text.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { refuseUnanswerable } from "./reports.ts";
import { MAX_QUESTION_BYTES } from "./save-question.ts";

export const updateQuestion = endpoint({
  name: "updateQuestion",
  method: "PATCH",
  path: "/apiv1/questions/{question_id}",
  access: "admin",
  summary: "Rename, pin or unpin a saved question, or replace its report",
  params: z.strictObject({ question_id: Name }),
  body: SavedQuestionChange,
  maxBytes: MAX_QUESTION_BYTES,
  replies: { ok: SavedQuestionReply },
  failures: ["not_found", "conflict"],

  async handle({ params: { question_id }, body }, world) {
    if (body.question !== undefined) await refuseUnanswerable(body.question, world);
    const changed = await world.storage.putSavedQuestion((stored) =>
      changedQuestion(question_id, body, stored),
    );
    return { outcome: "ok", body: describeQuestion(changed) };
  },
});
