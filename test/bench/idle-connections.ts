import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { event } from "./bodies.ts";
import { AUTHORIZED, startAnalytics } from "./contenders/analytics-server.ts";
import { loadServer } from "./load.ts";
import { inFolder, type RunningChild } from "./processes.ts";
import { interleave, ratioOf, spreadOf } from "./samples.ts";

// Measures how 1,000 idle connections, and 100 that send a body byte by byte, affect the latency of other clients.
const IDLE = 1_000;
const SLOW = 100;
const BYTE_EVERY_MS = 250;
const ROUNDS = { rounds: 5, seconds: 3 };
const MAX_RATIO = 1.2;

async function open({ url }: RunningChild): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function sendSlowly(socket: Socket): void {
  socket.write("POST /apiv1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
  socket.write(`authorization: ${AUTHORIZED.authorization}\r\ncontent-length: 1000\r\n\r\n{`);
  const timer = setInterval(() => socket.write(" "), BYTE_EVERY_MS);
  socket.once("close", () => clearInterval(timer));
}

async function openIdleConnections(server: RunningChild): Promise<Socket[]> {
  const idle = await Promise.all(Array.from({ length: IDLE }, () => open(server)));
  const slow = await Promise.all(Array.from({ length: SLOW }, () => open(server)));
  slow.forEach(sendSlowly);
  return [...idle, ...slow];
}

const load = { path: "/apiv1/events", headers: AUTHORIZED, body: event };

await inFolder(async (folder) => {
  const server = await startAnalytics(`${folder}/idle.db`);
  const measured = await interleave(
    [
      { name: "alone", measure: (seconds) => loadServer(server, load, seconds) },
      {
        name: "with idle connections",
        measure: async (seconds) => {
          const sockets = await openIdleConnections(server);
          const sample = await loadServer(server, load, seconds);
          for (const socket of sockets) socket.destroy();
          return sample;
        },
      },
    ],
    ROUNDS,
  );
  await server.stop();
  for (const [name, samples] of measured) {
    const { median, min, max } = spreadOf(samples.map(({ p50 }) => p50));
    process.stdout.write(
      `${name}: median latency ${median.toFixed(2)} ms (${min.toFixed(2)}–${max.toFixed(2)})\n`,
    );
  }
  const ratio = ratioOf(measured, "with idle connections", "alone", ({ p50 }) => p50)?.median ?? Number.NaN;
  process.stdout.write(`with idle connections / alone: ${ratio.toFixed(2)} × (limit: ${MAX_RATIO})\n`);
  process.exitCode = ratio <= MAX_RATIO ? 0 : 1;
});
process.exit();
