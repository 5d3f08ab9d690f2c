import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";

export interface Question {
  readonly method?: string;
  /** Sent without changes, even if it is not a valid path. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends a request on a new connection. Only the header content-length is added. */
export function ask(url: string, { method = "GET", path, headers = {}, body }: Question): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const options = { hostname, port, method, path, headers: { ...length, ...headers }, agent: false };
    const asked = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: text,
        }),
      );
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

export const JSON_TYPE = { "content-type": "application/json" };

/** Sends a value as JSON. */
export const post = (url: string, path: string, value: unknown, headers = {}): Promise<Answer> =>
  ask(url, { method: "POST", path, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(value) });

/** Sends one event. */
export const track = (url: string, properties = {}): Promise<Answer> =>
  post(url, "/apiv1/events", { event_type: "button_click", properties });

/** A raw connection, for bytes that no HTTP client would send. */
export interface RawConnection {
  readonly socket: Socket;
  send(text: string): void;
  /** Waits until everything received so far matches, and returns it. */
  until(pattern: RegExp): Promise<string>;
  /** Waits until the server has ended the connection, and returns everything received. */
  rest(): Promise<string>;
}

export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    received += chunk;
  });
  // The received bytes show the error.
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await once(socket, "connect");

  return {
    socket,
    send: (text) => void socket.write(text),
    async until(pattern) {
      while (!pattern.test(received)) {
        if (socket.closed) throw new Error(`The connection ended before ${pattern}:\n${received}`);
        await Promise.race([once(socket, "data"), closed]);
      }
      return received;
    },
    async rest() {
      await closed;
      return received;
    },
  };
}

/** Parses the raw text of several answers. */
export function parseAnswers(text: string): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) throw new Error(`The answer is incomplete:\n${rest}`);
    const [statusLine = "", ...lines] = rest.slice(0, end).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => {
        const [name = "", ...value] = line.split(": ");
        return [name.toLowerCase(), value.join(": ")];
      }),
    );
    const length = Number(headers["content-length"] ?? 0);
    answers.push({
      status: Number(statusLine.split(" ")[1]),
      headers,
      body: rest.slice(end + 4, end + 4 + length),
    });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

/** Repeats a check until it succeeds. After the timeout it rejects with the last error. */
export async function eventually<T>(act: () => Promise<T>, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
