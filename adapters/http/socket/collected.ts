const MIN_BLOCK_BYTES = 1024;
const MAX_BLOCK_BYTES = 64 * 1024;
// A larger piece is kept as it is: to copy it would cost more than the memory that it leaves unused.
const LARGE_PIECE_BYTES = 16 * 1024;

/**
 * Collects the pieces of a body. A body of one piece, as nearly all are, is never copied. Small pieces of a longer body
 * are copied into blocks: a list of them would take a hundred bytes of memory for each piece of one byte. A block is at most
 * as large as the bytes before it, so that a body that never ends holds little more memory than it has sent.
 */
export class Collected {
  readonly #full: Uint8Array[] = [];
  #block: Uint8Array = new Uint8Array();
  #used = 0;
  #length = 0;
  #pieces = 0;

  get length(): number {
    return this.#length;
  }

  get pieces(): number {
    return this.#pieces;
  }

  add(piece: Uint8Array): void {
    this.#pieces += 1;
    this.#length += piece.byteLength;
    if (this.#pieces === 1 || piece.byteLength >= LARGE_PIECE_BYTES) this.#keep(piece);
    else this.#copy(piece);
  }

  #keep(piece: Uint8Array): void {
    this.#closeBlock();
    this.#full.push(piece);
  }

  #copy(piece: Uint8Array): void {
    if (this.#used + piece.byteLength > this.#block.byteLength) {
      this.#closeBlock();
      const size = Math.min(MAX_BLOCK_BYTES, Math.max(MIN_BLOCK_BYTES, this.#length));
      this.#block = Buffer.allocUnsafeSlow(size);
    }
    this.#block.set(piece, this.#used);
    this.#used += piece.byteLength;
  }

  #closeBlock(): void {
    if (this.#used > 0) this.#full.push(this.#block.subarray(0, this.#used));
    this.#block = this.#block.subarray(this.#used);
    this.#used = 0;
  }

  take(): Uint8Array {
    this.#closeBlock();
    const [first = new Uint8Array(), ...more] = this.#full;
    return more.length === 0 ? first : Buffer.concat(this.#full, this.#length);
  }
}
