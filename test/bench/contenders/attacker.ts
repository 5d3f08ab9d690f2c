import { connect } from "node:net";
import { ATTACKS, type Attack, batchClients } from "../hostile/attacks.ts";

// Runs one attack for a number of seconds in a separate process, and prints the counts of its answers.
const [name = "", address = "", seconds = "1"] = process.argv.slice(2);
const { hostname, port } = new URL(address);
const attack = [...ATTACKS, batchClients(4), batchClients(32), batchClients(128)].find(
  (one) => one.name === name,
);
if (attack === undefined) throw new Error(`Unknown attack: ${name}`);
const deadline = Date.now() + Number(seconds) * 1_000;

// Bounds of this process, independent of how the server behaves.
const MAX_REQUESTS = 200_000;
const RECONNECT_MS = 5;
const TRICKLE_MS = 100;

const counts = { requests: 0, accepted: 0, refused: 0, broken: 0 };
const isOver = (): boolean => Date.now() >= deadline || counts.requests >= MAX_REQUESTS;

function countAnswers(chunk: Buffer): number {
  const text = chunk.toString("latin1");
  const accepted = text.split("HTTP/1.1 20").length - 1;
  const answered = text.split("HTTP/1.1 ").length - 1;
  counts.accepted += accepted;
  counts.refused += answered - accepted;
  return answered;
}

function begin(one: Attack): void {
  if (isOver()) return;
  const socket = connect(Number(port), hostname);
  const bytes = one.bytes();
  let sent = 0;
  const send = (): void => {
    if (isOver()) return void socket.destroy();
    counts.requests += 1;
    const flushed = socket.write(sent === 0 || one.manner !== "asks" ? bytes : one.bytes());
    sent += 1;
    if (one.manner === "floods" && flushed) setImmediate(send);
  };
  const trickle = (): void => {
    if (isOver()) return void socket.destroy();
    socket.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    setTimeout(trickle, TRICKLE_MS);
  };
  socket.once("connect", one.manner === "trickles" ? trickle : send);
  if (one.manner === "floods") socket.on("drain", send);
  if (one.manner === "never reads") socket.pause();
  else {
    socket.on("data", (chunk: Buffer) => {
      if (countAnswers(chunk) > 0 && one.manner === "asks") send();
    });
  }
  socket.on("error", () => {
    counts.broken += 1;
  });
  socket.once("close", () => setTimeout(begin, RECONNECT_MS, one));
}

for (let connection = 0; connection < attack.connections; connection += 1) begin(attack);
setTimeout(
  () => {
    process.stdout.write(`counts ${JSON.stringify(counts)}\n`);
    process.exit(0);
  },
  deadline - Date.now() + 200,
);
