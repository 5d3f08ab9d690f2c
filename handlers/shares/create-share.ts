import { z } from "zod";
import {
  describeShare,
  SHARE_PREFIX,
  ShareInput,
  ShareReply,
  secretDigest,
} from "../../domain/shares/share-link.ts";
import { endpoint } from "../contract/endpoint.ts";
import { invalid } from "../contract/faults.ts";
import { answerPage } from "./answer-page.ts";

export const createShare = endpoint({
  name: "createShare",
  method: "POST",
  path: "/apiv1/shares",
  access: "admin",
  summary: "Create a link to one read-only page; its secret is shown this once",
  body: ShareInput,
  replies: {
    created: ShareReply.extend({
      success: z.literal(true),
      secret: z
        .string()
        .meta({ description: "The link is the dashboard's address with #/shared/<secret> at its end." }),
    }),
  },
  failures: ["not_found"],

  async handle({ body: { page, name = null, expires_at = null }, ...request }, world) {
    const { storage, now, newId, newSecret } = world;
    if (expires_at !== null && expires_at <= now()) {
      throw invalid("share link", [{ path: "expires_at", message: "must be in the future" }]);
    }
    // A link that cannot be answered is refused here, and not when its guest opens it.
    await answerPage(page, request, world);
    const secret = SHARE_PREFIX + newSecret();
    const share = {
      share_id: newId(),
      digest: secretDigest(secret),
      page,
      name,
      created_at: now(),
      expires_at,
    };
    await storage.addShare(share);
    return { outcome: "created", body: { success: true as const, ...describeShare(share), secret } };
  },
});
