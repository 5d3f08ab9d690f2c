import { z } from "zod";
import { Flag } from "../../../domain/reports/range.ts";
import { AnsweredQuestion, describeQuestion } from "../../../domain/reports/saved-question.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { answerOf } from "./reports.ts";

export const listQuestions = endpoint({
  name: "listQuestions",
  method: "GET",
  path: "/apiv1/questions",
  access: "read",
  summary: "The saved questions, oldest first, and the answers of those that are pinned",
  query: z.strictObject({
    pinned: Flag.meta({ description: "1: only those that are pinned to the overview." }),
    include: z.literal("answers").optional().meta({
      description: "Answers each pinned question as its report does.",
    }),
  }),
  replies: { ok: z.strictObject({ questions: z.array(AnsweredQuestion) }) },

  async handle({ query: { pinned, include }, ...caller }, world) {
    const stored = await world.storage.listSavedQuestions();
    const questions = stored
      .filter((question) => question.pinned || !pinned)
      .map(async (saved) => ({
        ...describeQuestion(saved),
        ...(include !== undefined && saved.pinned
          ? { answer: await answerOf(saved.question, caller, world) }
          : {}),
      }));
    return { outcome: "ok", body: { questions: await Promise.all(questions) } };
  },
});
