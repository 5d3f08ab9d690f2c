import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, onTestFinished, test, vi } from "vitest";
import { createDecompression } from "../../../adapters/http/requests/decompression.ts";

const LIMIT = 1_000_000;
const isGone = () => false;

const compressed = (bytes: number) => ({
  bytes: gzipSync(Buffer.alloc(bytes, " ")),
  encoding: "gzip",
  limit: LIMIT,
  isGone,
});

test("three large bodies are decompressed at once, the others wait for them, and small ones for none", async () => {
  // A body that waits for seconds is refused: on a busy machine this test must not take that long.
  const now = vi.spyOn(performance, "now").mockReturnValue(0);
  onTestFinished(() => now.mockRestore());
  const decompress = createDecompression();
  const sizes: unknown[] = [];
  const held: (() => void)[] = [];
  const send = (bytes: number) =>
    decompress(compressed(bytes), (output, done) => {
      sizes.push(output instanceof Uint8Array ? output.byteLength : output);
      if (bytes > 1_000) held.push(done);
    });
  for (let n = 0; n < 20; n += 1) send(200_000 + n);
  await expect.poll(() => sizes).toHaveLength(3);
  for (let n = 0; n < 20; n += 1) send(1_000);
  await expect.poll(() => sizes).toHaveLength(23);
  expect(sizes.slice(3)).toEqual(Array(20).fill(1_000));
  // Each of the bodies that is done lets one of the others in.
  for (let more = 1; more <= 17; more += 1) {
    held.shift()?.();
    await expect.poll(() => sizes).toHaveLength(23 + more);
  }
});

test("a large body that is gone, broken or too large makes room for the next one", async () => {
  const decompress = createDecompression();
  const bytes = gzipSync(Buffer.alloc(200_000, " "));
  const outcomes: string[] = [];
  const send = (changes: object) =>
    decompress({ ...compressed(200_000), ...changes }, (output, done) => {
      outcomes.push(
        output instanceof Error ? output.code : typeof output === "string" ? output : `${output.byteLength}`,
      );
      done();
    });
  send({ isGone: () => true });
  send({ bytes: bytes.subarray(0, -20) });
  send({ bytes: gzipSync(Buffer.alloc(LIMIT + 1)) });
  send({ bytes: brotliCompressSync(Buffer.alloc(LIMIT)), encoding: "br" });
  for (let n = 0; n < 10; n += 1) send({});
  await expect.poll(() => outcomes).toHaveLength(14);
  expect(outcomes.toSorted()).toEqual([
    ...["1000000", ...Array(10).fill("200000")],
    ...["broken", "too large", "unavailable"],
  ]);
});
