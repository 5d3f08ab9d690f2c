/** Blocks of memory of one size, lent to bodies that are being collected. */
export interface Blocks {
  lend(): Uint8Array;
  /** The block is lent again, with its content: nothing may read it any more. */
  giveBack(block: Uint8Array): void;
}

export const BLOCK_BYTES = 64 * 1024;
/** As many as the largest body takes. */
const MAX_SPARE = 80;

/**
 * A block is given back as soon as its body is dropped. Memory that is left to the garbage collector stays occupied until
 * 64 MB more are: V8 does not count the bytes of buffers as its own, and collects them late.
 */
export function createBlocks(): Blocks {
  const spare: Uint8Array[] = [];
  return {
    lend: () => spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES),
    giveBack(block) {
      if (spare.length < MAX_SPARE) spare.push(block);
    },
  };
}
