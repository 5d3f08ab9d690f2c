import { brotliDecompress, gunzip } from "node:zlib";
import type { Failure } from "../../../domain/failure.ts";
import { createPace } from "../socket/pace.ts";
import { createTurnstile } from "../socket/turnstile.ts";

const decoders = new Map([
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["br", brotliDecompress],
]);

export const hasDecoder = (encoding: string): boolean => decoders.has(encoding);

/** Nearly all bodies are smaller, and never wait for large ones. */
const SMALL_BYTES = 64 * 1024;
/** A body of 5 KB can become one of 5 MiB, and a thousand clients may send one at the same moment. */
const MAX_LARGE_AT_ONCE = 3;

interface Compressed {
  readonly bytes: Uint8Array;
  /** One that has a decoder. */
  readonly encoding: string;
  /** The most bytes after decompression. */
  readonly limit: number;
  /** Whether the client has left. */
  readonly isGone: () => boolean;
}

/** The bytes, or why there are none. A failure means that the turn of the body did not come in time. */
type Decompressed = Uint8Array | "too large" | "broken" | Failure;

/** Hands over the bytes once. Whoever takes them calls `done` when it does not need them any more. */
export type Decompress = (
  compressed: Compressed,
  take: (output: Decompressed, done: () => void) => void,
) => void;

/** Stops as soon as the output is larger than the limit, so that a bomb costs no more memory than an honest body. */
function inflate(
  { bytes, encoding }: Compressed,
  limit: number,
  take: (output: Uint8Array | "too large" | "broken") => void,
): void {
  decoders.get(encoding)?.(bytes, { maxOutputLength: limit }, (error, output) => {
    if (error === null) take(output);
    else take(error instanceof RangeError ? "too large" : "broken");
  });
}

/** Decompresses small bodies at once, and a few large ones at a time: the others wait compressed. */
export function createDecompression(): Decompress {
  let largeOnes = 0;
  const line = createTurnstile(() => largeOnes < MAX_LARGE_AT_ONCE, createPace(0));
  const holdsLittle = (): void => {};
  const free = (): void => {
    largeOnes -= 1;
  };

  return (compressed, take) => {
    const { limit, isGone } = compressed;
    inflate(compressed, Math.min(limit, SMALL_BYTES), (output) => {
      if (output !== "too large" || limit <= SMALL_BYTES) {
        take(output, holdsLittle);
        return;
      }
      line.wait({
        enter() {
          largeOnes += 1;
          inflate(compressed, limit, (whole) => take(whole, free));
        },
        refuse: (failure) => take(failure, holdsLittle),
        hasLeft: isGone,
      });
    });
  };
}
