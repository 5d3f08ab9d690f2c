import { sha256 } from "@noble/hashes/sha2.js";

/** The fields of an experiment that decide a variant. There are no others, so that a browser can share this file. */
export interface Split {
  readonly salt: string;
  readonly traffic: number;
  readonly variants: readonly { readonly id: number; readonly weight: number }[];
}

/** Where the chance of each variant lies on [0, 1): from inclusive, to exclusive. */
export interface Range {
  readonly variant_id: number;
  readonly from: number;
  readonly to: number;
}

export type Choice =
  | { readonly kind: "variant"; readonly variant_id: number }
  | { readonly kind: "not_in_traffic" }
  | { readonly kind: "no_weight" };

const utf8 = new TextEncoder();
const SEPARATOR = "\0";

/**
 * A user's fixed place on [0, 1): the top 53 bits of SHA-256(salt ‖ 0x00 ‖ user), over 2⁵³.
 * A weaker hash looks uniform too, but lets the groups of neighbouring experiments resemble each other.
 */
export function bucket(salt: string, userId: string): number {
  const digest = sha256(utf8.encode(salt + SEPARATOR + userId));
  const view = new DataView(digest.buffer, digest.byteOffset);
  return (view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)) / 2 ** 53;
}

// Traffic and variant are hashed with salts of their own, so that raising the traffic moves no user between variants.
export const trafficBucket = (salt: string, userId: string): number => bucket(`${salt}:traffic`, userId);
export const variantBucket = (salt: string, userId: string): number => bucket(`${salt}:variant`, userId);

/** The variants' half-open ranges, in their order and in proportion to their weights; one of weight 0 has none. */
export function ranges(variants: Split["variants"]): readonly Range[] {
  const weighted = variants.filter((variant) => variant.weight > 0);
  const sum = weighted.reduce((total, variant) => total + variant.weight, 0);
  let edge = 0;
  return weighted.map((variant, index) => {
    const from = edge;
    // The last edge is 1 exactly: rounding must not leave a user without a variant.
    edge = index === weighted.length - 1 ? 1 : edge + variant.weight / sum;
    return { variant_id: variant.id, from, to: edge };
  });
}

/** Chooses the variant of a user without one. Ask storage first: a user keeps a stored variant. */
export function choose(split: Split, userId: string): Choice {
  if (split.traffic < 1 && trafficBucket(split.salt, userId) >= split.traffic)
    return { kind: "not_in_traffic" };
  const place = variantBucket(split.salt, userId);
  const range = ranges(split.variants).find(({ to }) => place < to);
  return range === undefined ? { kind: "no_weight" } : { kind: "variant", variant_id: range.variant_id };
}
