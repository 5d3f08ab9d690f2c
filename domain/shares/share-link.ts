import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { Name } from "../text.ts";
import { type Instant, IsoTime, isoTime, Timestamp } from "../time.ts";
import { SharedPage } from "./shared-page.ts";

/** Tells the secret of a share link from a key. */
export const SHARE_PREFIX = "share_";

/** Gives read-only access to one page. Its secret is known to the link alone. */
export interface ShareLink {
  readonly share_id: string;
  /** Of the secret. */
  readonly digest: string;
  readonly page: SharedPage;
  readonly name: string | null;
  readonly created_at: Instant;
  readonly expires_at: Instant | null;
}

/** The SHA-256 digest of a secret as hexadecimal digits, under which a link is stored. */
export const secretDigest = (secret: string): string => bytesToHex(sha256(utf8ToBytes(secret)));

export const isExpired = ({ expires_at }: ShareLink, now: Instant): boolean =>
  expires_at !== null && expires_at <= now;

export const ShareInput = z
  .strictObject({
    page: SharedPage,
    name: Name.nullish().meta({ description: "Tells links apart in their list. Guests do not see it." }),
    expires_at: Timestamp.nullish().meta({ description: "When it stops working; never without it." }),
  })
  .meta({
    id: "ShareInput",
    examples: [
      { page: { view: "trend", range: "last_90_days", query: { event_type: ["signup"], interval: "week" } } },
      { page: { view: "experiment", test_id: 7 }, name: "For the board" },
    ],
  });

export const ShareReply = z
  .strictObject({
    share_id: z.string(),
    page: SharedPage,
    name: z.string().nullable(),
    created_at: IsoTime,
    expires_at: IsoTime.nullable(),
  })
  .meta({ id: "ShareLink" });
export type ShareReply = z.infer<typeof ShareReply>;

export const describeShare = ({ share_id, page, name, created_at, expires_at }: ShareLink): ShareReply => ({
  share_id,
  page,
  name,
  created_at: isoTime(created_at),
  expires_at: expires_at === null ? null : isoTime(expires_at),
});
