import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { listen } from "./listen.ts";

// The least that durability can cost: a line at the end of a file, and one fdatasync for all lines of a turn.
const file = openSync(process.argv[2] ?? "", "a");
let waiting: { body: Buffer; done: () => void }[] = [];

function flush(): void {
  const taken = waiting;
  waiting = [];
  writeSync(file, Buffer.concat(taken.map(({ body }) => Buffer.concat([body, Buffer.from("\n")]))));
  fdatasyncSync(file);
  for (const { done } of taken) done();
}

listen((body, done) => {
  if (waiting.push({ body, done }) === 1) setImmediate(flush);
});
