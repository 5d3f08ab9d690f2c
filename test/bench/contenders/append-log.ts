import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { listen } from "./listen.ts";

// The minimum cost of durability: one line in a file per request, and one fdatasync per turn of the event loop. The
// file is preallocated and reused as a ring buffer, because an fdatasync of a growing file takes two to three times as
// long.
const SIZE = 64 * 1024 * 1024;
const NEW_LINE = Buffer.from("\n");
const file = openSync(process.argv[2] ?? "", "w");
writeSync(file, Buffer.alloc(SIZE));
fdatasyncSync(file);

let waiting: { body: Buffer; done: () => void }[] = [];
let position = 0;

function flush(): void {
  const taken = waiting;
  waiting = [];
  const lines = Buffer.concat(taken.flatMap(({ body }) => [body, NEW_LINE]));
  if (position + lines.byteLength > SIZE) position = 0;
  writeSync(file, lines, 0, lines.byteLength, position);
  position += lines.byteLength;
  fdatasyncSync(file);
  for (const { done } of taken) done();
}

listen((body, done) => {
  if (waiting.push({ body, done }) === 1) setImmediate(flush);
});
