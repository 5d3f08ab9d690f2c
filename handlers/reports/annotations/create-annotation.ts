import { z } from "zod";
import { AnnotationInput, AnnotationReply, describeAnnotation } from "../../../domain/reports/annotation.ts";
import { endpoint } from "../../contract/endpoint.ts";

export const createAnnotation = endpoint({
  name: "createAnnotation",
  method: "POST",
  path: "/apiv1/annotations",
  access: "admin",
  summary: "Mark a moment on the time axes, such as a deploy",
  body: AnnotationInput,
  replies: { created: AnnotationReply.extend({ success: z.literal(true) }) },

  async handle({ body: { text, at } }, { storage, now, newId }) {
    const annotation = { annotation_id: newId(), at: at ?? now(), text };
    await storage.addAnnotation(annotation);
    return { outcome: "created", body: { success: true as const, ...describeAnnotation(annotation) } };
  },
});
