import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// The same size as the answer to one event.
const ANSWER = '{"success":true,"id":1234567,"created_at":"2026-11-22T10:00:00.000Z"}';
const HEADERS = { "content-type": "application/json", "content-length": Buffer.byteLength(ANSWER) };

/**
 * Starts a node:http server and prints its URL. Reads each body, passes it to `take`, and answers once `done` is
 * called.
 */
export function listen(take: (body: Buffer, done: () => void) => void): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () =>
      take(Buffer.concat(chunks), () => {
        response.writeHead(201, HEADERS);
        response.end(ANSWER);
      }),
    );
  });
  server.listen(0, "127.0.0.1", () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  });
}
