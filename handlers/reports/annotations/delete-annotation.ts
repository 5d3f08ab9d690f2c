import { z } from "zod";
import { Failure } from "../../../domain/failure.ts";
import { Name } from "../../../domain/text.ts";
import { endpoint } from "../../contract/endpoint.ts";

export const deleteAnnotation = endpoint({
  name: "deleteAnnotation",
  method: "DELETE",
  path: "/apiv1/annotations/{annotation_id}",
  access: "admin",
  summary: "Delete an annotation",
  params: z.strictObject({ annotation_id: Name }),
  replies: { deleted: z.undefined() },
  failures: ["not_found"],

  async handle({ params: { annotation_id } }, { storage }) {
    if (await storage.deleteAnnotation(annotation_id)) return { outcome: "deleted", body: undefined };
    throw new Failure(
      "not_found",
      `There is no annotation ${annotation_id}. GET /apiv1/annotations lists those there are.`,
    );
  },
});
