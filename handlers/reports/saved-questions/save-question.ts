import { z } from "zod";
import {
  admitted,
  describeQuestion,
  SavedQuestionInput,
  SavedQuestionReply,
} from "../../../domain/reports/saved-question.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { refuseUnanswerable } from "./reports.ts";

/** The largest body of a request that saves a question: all questions are listed in one answer. */
export const MAX_QUESTION_BYTES = 16 * 1024;

export const saveQuestion = endpoint({
  name: "saveQuestion",
  method: "POST",
  path: "/apiv1/questions",
  access: "admin",
  summary: "Save a trend, funnel or retention under a name",
  body: SavedQuestionInput,
  maxBytes: MAX_QUESTION_BYTES,
  replies: { created: SavedQuestionReply.extend({ success: z.literal(true) }) },
  failures: ["conflict"],

  async handle({ body }, world) {
    const { storage, now, newId } = world;
    await refuseUnanswerable(body.question, world);
    const question = { question_id: newId(), ...body, created_at: now() };
    const saved = await storage.putSavedQuestion((stored) => admitted(question, stored));
    return { outcome: "created", body: { success: true as const, ...describeQuestion(saved) } };
  },
});
