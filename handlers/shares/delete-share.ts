import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { Name } from "../../domain/text.ts";
import { endpoint } from "../contract/endpoint.ts";

export const deleteShare = endpoint({
  name: "deleteShare",
  method: "DELETE",
  path: "/apiv1/shares/{share_id}",
  access: "admin",
  summary: "Revoke a share link: it stops working at once",
  params: z.strictObject({ share_id: Name }),
  replies: { deleted: z.undefined() },
  failures: ["not_found"],

  async handle({ params: { share_id } }, { storage }) {
    if (await storage.deleteShare(share_id)) return { outcome: "deleted", body: undefined };
    // The id is not repeated: a caller may have taken the secret for it.
    throw new Failure("not_found", "There is no share link with this id. GET /apiv1/shares lists them.");
  },
});
