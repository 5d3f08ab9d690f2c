import { z } from "zod";
import { endpoint } from "../../contract/endpoint.ts";
import { ForeignBody, MAX_FOREIGN_BYTES, takeActs } from "../intake.ts";
import { actOf, keyOf } from "./mapping.ts";

const common = {
  method: "POST",
  access: "write",
  sharesItsPath: true,
  foreign: { keyOf },
  query: z.looseObject({}),
  body: ForeignBody,
  maxBytes: MAX_FOREIGN_BYTES,
} as const;

// The page sends `cache` back, which saves Umami's own server a look-up.
const Session = z.strictObject({ cache: z.string(), sessionId: z.string(), visitId: z.string() });

const sessionOf = (visitor: string): z.infer<typeof Session> => ({
  cache: visitor,
  sessionId: visitor,
  visitId: visitor,
});

export const umamiSend = endpoint({
  ...common,
  name: "umamiSend",
  path: "/api/send",
  summary: "Umami: one event of a page",
  replies: { ok: Session },

  async handle(request, world) {
    const visitor = request.visitor();
    await takeActs({ endpoint: "umamiSend", acts: [actOf(request.body, visitor)] }, request, world);
    return { outcome: "ok", body: sessionOf(visitor) };
  },
});

export const umamiBatch = endpoint({
  ...common,
  name: "umamiBatch",
  path: "/api/batch",
  summary: "Umami: a list of events",
  replies: { ok: z.strictObject({ size: z.int(), processed: z.int(), errors: z.int(), cache: z.string() }) },

  async handle(request, world) {
    const visitor = request.visitor();
    const items: readonly unknown[] = Array.isArray(request.body) ? request.body : [request.body];
    const acts = items.map((item) => actOf(item, visitor));
    await takeActs({ endpoint: "umamiBatch", acts }, request, world);
    const { length: size } = items;
    return { outcome: "ok", body: { size, processed: size, errors: 0, cache: visitor } };
  },
});
