import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageId, messageKey } from "../../../domain/events/message-id.ts";

const hex = (key: Uint8Array) => Buffer.from(key).toString("hex");

test("a UUID in upper or lower case is stored as its 16 bytes", () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(hex(messageKey(uuid))).toBe(uuid.replaceAll("-", ""));
      expect(messageKey(uuid.toUpperCase())).toEqual(messageKey(uuid));
    }),
  );
});

test("any other text is stored as the first half of its SHA-256", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }), (text) => {
      expect(hex(messageKey(text))).toBe(createHash("sha256").update(text).digest("hex").slice(0, 32));
    }),
  );
});

test.each([
  ["018f6a1e7c3b7d2a9f00aabbccddeeff"],
  ["{018f6a1e-7c3b-7d2a-9f00-aabbccddeeff}"],
  ["018f6a1e-7c3b-7d2a-9f00-aabbccddeefg"],
  [" 018f6a1e-7c3b-7d2a-9f00-aabbccddeeff"],
])("%j is not a UUID and is hashed like other text", (text) => {
  expect(hex(messageKey(text))).toBe(createHash("sha256").update(text).digest("hex").slice(0, 32));
});

test.each(["a", " ", "m".repeat(100), "😀".repeat(50), "line\nbreak"])("%j is a valid message id", (text) => {
  expect(MessageId.safeParse(text).success).toBe(true);
});

test.each(["", "m".repeat(101), "\ud800", "a\udc00", 1, null])("%j is not a valid message id", (text) => {
  expect(MessageId.safeParse(text).success).toBe(false);
});
