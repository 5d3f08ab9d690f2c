import { BLOCK_BYTES, type Blocks } from "./blocks.ts";

const MIN_BLOCK_BYTES = 1024;

/**
 * Collects the pieces of a body. A body of one piece, as nearly all are, is never copied. The pieces of a longer body are
 * copied into blocks: a list of them would take a hundred bytes of memory for each piece of one byte, and large ones would
 * stay in memory after the body was dropped. A block is at most as large as the bytes before it, so that a body that never
 * ends holds little more memory than it has sent.
 */
export class Collected {
  readonly #lender: Blocks;
  #first: Uint8Array = new Uint8Array();
  /** All are full but the last one. */
  #blocks: Uint8Array[] = [];
  #freeOfLast = 0;
  #length = 0;
  #pieces = 0;

  constructor(lender: Blocks) {
    this.#lender = lender;
  }

  get length(): number {
    return this.#length;
  }

  get pieces(): number {
    return this.#pieces;
  }

  add(piece: Uint8Array): void {
    if (this.#pieces === 0) this.#first = piece;
    else this.#copy(piece);
    this.#pieces += 1;
    this.#length += piece.byteLength;
  }

  #copy(piece: Uint8Array): void {
    for (let copied = 0; copied < piece.byteLength; ) {
      const block = this.#freeOfLast > 0 ? this.#blocks.at(-1) : undefined;
      const target = block ?? this.#addBlock(this.#length + copied);
      const part = piece.subarray(copied, copied + this.#freeOfLast);
      target.set(part, target.byteLength - this.#freeOfLast);
      this.#freeOfLast -= part.byteLength;
      copied += part.byteLength;
    }
  }

  #addBlock(bytesBefore: number): Uint8Array {
    const block =
      bytesBefore < BLOCK_BYTES
        ? Buffer.allocUnsafeSlow(Math.max(MIN_BLOCK_BYTES, bytesBefore))
        : this.#lender.lend();
    this.#blocks.push(block);
    this.#freeOfLast = block.byteLength;
    return block;
  }

  /** The whole body. The memory that it was collected in is free afterwards. */
  take(): Uint8Array {
    const body = this.#pieces > 1 ? Buffer.concat([this.#first, ...this.#blocks], this.#length) : this.#first;
    this.drop();
    return body;
  }

  /** Frees the memory. No further piece may be added. */
  drop(): void {
    for (const block of this.#blocks) {
      if (block.byteLength === BLOCK_BYTES) this.#lender.giveBack(block);
    }
    this.#blocks = [];
    this.#first = new Uint8Array();
  }
}
