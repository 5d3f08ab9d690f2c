import { z } from "zod";
import { describeErasure, ErasureReply } from "../../domain/people/erasure.ts";
import { wholeNumber } from "../../domain/reports/range.ts";
import { cursorOf } from "../contract/cursor.ts";
import { endpoint } from "../contract/endpoint.ts";

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

const { Cursor, next } = cursorOf(z.strictObject({ erased_at: z.int(), receipt: z.string() }));

export const listErasures = endpoint({
  name: "listErasures",
  method: "GET",
  path: "/apiv1/erasures",
  access: "admin",
  summary: "List the receipts of erased users, newest first; they name no user",
  query: z.strictObject({
    limit: wholeNumber(1, MAX_PAGE).default(DEFAULT_PAGE),
    cursor: Cursor.optional(),
  }),
  replies: {
    ok: z.strictObject({ erasures: z.array(ErasureReply), next_cursor: z.string().nullable() }),
  },

  async handle({ query: { limit, cursor } }, { storage }) {
    // One more than asked for tells whether there is a next page.
    const found = await storage.listErasures({ limit: limit + 1, before: cursor });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next_cursor =
      found.length > limit && last !== undefined
        ? next({ erased_at: last.erased_at, receipt: last.receipt })
        : null;
    return { outcome: "ok", body: { erasures: page.map(describeErasure), next_cursor } };
  },
});
