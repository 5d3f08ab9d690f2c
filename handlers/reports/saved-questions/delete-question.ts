import { z } from "zod";
import { unknownQuestion } from "../../../domain/reports/saved-question.ts";
import { Name } from "../../../domain/text.ts";
import { endpoint } from "../../contract/endpoint.ts";

export const deleteQuestion = endpoint({
  name: "deleteQuestion",
  method: "DELETE",
  path: "/apiv1/questions/{question_id}",
  access: "admin",
  summary: "Delete a saved question",
  params: z.strictObject({ question_id: Name }),
  replies: { deleted: z.undefined() },
  failures: ["not_found"],

  async handle({ params: { question_id } }, { storage }) {
    if (await storage.deleteSavedQuestion(question_id)) return { outcome: "deleted", body: undefined };
    throw unknownQuestion(question_id);
  },
});
