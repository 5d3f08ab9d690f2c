import { z } from "zod";
import { wholeNumber } from "../../domain/reports/range.ts";
import { describeShare, ShareReply } from "../../domain/shares/share-link.ts";
import { cursorOf } from "../contract/cursor.ts";
import { endpoint } from "../contract/endpoint.ts";

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

const { Cursor, next } = cursorOf(z.strictObject({ created_at: z.int(), share_id: z.string() }));

export const listShares = endpoint({
  name: "listShares",
  method: "GET",
  path: "/apiv1/shares",
  access: "admin",
  summary: "List the share links, newest first, without their secrets",
  query: z.strictObject({
    limit: wholeNumber(1, MAX_PAGE).default(DEFAULT_PAGE),
    cursor: Cursor.optional(),
  }),
  replies: { ok: z.strictObject({ shares: z.array(ShareReply), next_cursor: z.string().nullable() }) },

  async handle({ query: { limit, cursor } }, { storage }) {
    // One more than asked for tells whether there is a next page.
    const found = await storage.listShares({ limit: limit + 1, before: cursor });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next_cursor =
      found.length > limit && last !== undefined
        ? next({ created_at: last.created_at, share_id: last.share_id })
        : null;
    return { outcome: "ok", body: { shares: page.map(describeShare), next_cursor } };
  },
});
