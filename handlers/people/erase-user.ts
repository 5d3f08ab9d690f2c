import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { describeErasure, ErasureReply } from "../../domain/people/erasure.ts";
import { Name } from "../../domain/text.ts";
import { endpoint } from "../contract/endpoint.ts";

const Erased = ErasureReply.extend({ success: z.literal(true) }).meta({ id: "Erased" });

export const eraseUser = endpoint({
  name: "eraseUser",
  method: "DELETE",
  path: "/apiv1/users/{user_id}",
  access: "admin",
  summary: "Erase everything that is stored about a user, and answer a receipt",
  params: z.strictObject({ user_id: Name }),
  replies: { ok: Erased },
  failures: ["not_found"],

  async handle({ params: { user_id } }, { storage, now, newId }) {
    const erasure = await storage.eraseUser({ user_id, receipt: newId(), requested_at: now() });
    if (erasure === undefined) throw new Failure("not_found", "Nothing is stored about this user.");
    return { outcome: "ok", body: { success: true, ...describeErasure(erasure) } } as const;
  },
});
