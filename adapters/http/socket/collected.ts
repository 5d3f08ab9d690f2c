const FIRST_BYTES = 16 * 1024;

/**
 * The bytes of a body, gathered from its pieces. A body of one piece, as nearly all are, is never copied. Others are
 * copied into one buffer that doubles: a list of pieces would take a hundred bytes of memory for each piece of one byte.
 */
export class Collected {
  #bytes: Uint8Array = new Uint8Array();
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
    if (this.#length === 0) this.#bytes = piece;
    else this.#append(piece);
    this.#length += piece.byteLength;
  }

  #append(piece: Uint8Array): void {
    const needed = this.#length + piece.byteLength;
    if (needed > this.#bytes.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * needed));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
