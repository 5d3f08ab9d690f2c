import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const KEY_BYTES = 16;

const utf8 = new TextEncoder();

/** A client's own id of what it sends: the same one again stores nothing, and answers what the first one answered. */
export const MessageId = z
  .string()
  .min(1, "must not be empty")
  .max(100, "must be at most 100 characters long")
  .refine((text) => text.isWellFormed(), "must not contain broken Unicode")
  .meta({ description: "Makes a retry safe. UUIDv7 costs the least." });

function uuidBytes(uuid: string): Uint8Array {
  const digits = uuid.replaceAll("-", "");
  return Uint8Array.from({ length: KEY_BYTES }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}

/** The 16 bytes a message id is stored as: a UUID as it is, any other string as the first half of its SHA-256. */
export function messageKey(messageId: string): Uint8Array {
  return UUID.test(messageId) ? uuidBytes(messageId) : sha256(utf8.encode(messageId)).slice(0, KEY_BYTES);
}
