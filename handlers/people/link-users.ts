import { z } from "zod";
import { Failure, type Fault } from "../../domain/failure.ts";
import { type LinkOutcome, MAX_LINKS } from "../../domain/people/links.ts";
import { Name } from "../../domain/text.ts";
import { IsoTime, isoTime } from "../../domain/time.ts";
import { endpoint } from "../contract/endpoint.ts";

export const LinkInput = z
  .strictObject({ anonymous_id: Name, user_id: Name })
  .superRefine(({ anonymous_id, user_id }, context) => {
    if (anonymous_id !== user_id) return;
    context.addIssue({ code: "custom", path: ["anonymous_id"], message: "must differ from user_id" });
  })
  .meta({ id: "LinkInput" });

const Linked = z.strictObject({
  success: z.literal(true),
  anonymous_id: Name,
  user_id: Name,
  linked_at: IsoTime,
});

type Refused = Exclude<LinkOutcome["kind"], "linked" | "known">;

// No message names the other person's id: a write key, which is public in a page, may send any two ids.
const REFUSALS: Record<Refused, { readonly path: "anonymous_id" | "user_id"; readonly message: string }> = {
  anonymous_id_taken: {
    path: "anonymous_id",
    message: "is linked to another user_id; start with a new anonymous id at logout",
  },
  anonymous_id_is_user: {
    path: "anonymous_id",
    message: "is a user_id that other ids are linked to, and cannot be linked as an anonymous id",
  },
  user_id_is_anonymous: {
    path: "user_id",
    message: "is linked to a user_id itself; link to that user_id",
  },
  too_many_links: {
    path: "user_id",
    message: `has ${MAX_LINKS} anonymous ids, the most that a user may have`,
  },
};

/** Why ids were not linked; undefined where they are. */
export const linkFaultOf = (kind: LinkOutcome["kind"]): Fault | undefined =>
  kind === "linked" || kind === "known" ? undefined : REFUSALS[kind];

export const linkUsers = endpoint({
  name: "linkUsers",
  method: "POST",
  path: "/apiv1/users/alias",
  access: "write",
  summary: "Link an anonymous id and a user id: both are one person from now on",
  body: LinkInput,
  replies: { created: Linked, ok: Linked },
  failures: ["conflict"],

  async handle({ body }, { storage, now }) {
    const outcome = await storage.linkUsers({ ...body, linked_at: now() });
    if (outcome.kind !== "linked" && outcome.kind !== "known") {
      throw new Failure("conflict", "The ids contradict links that are stored; nothing was changed.", {
        faults: [REFUSALS[outcome.kind]],
      });
    }
    const answer = { success: true, ...body, linked_at: isoTime(outcome.linked_at) } as const;
    return { outcome: outcome.kind === "linked" ? "created" : "ok", body: answer };
  },
});
