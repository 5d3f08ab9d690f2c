import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Answer, ask, openConnection, parseAnswers } from "../../../end-to-end/client.ts";
import { openEdge } from "../../../world.ts";
import { serve, start } from "./serve.ts";

const serveProduct = () => serve(openEdge().edge);

/** Sends these lines on a new connection, and returns everything received. */
async function conversation(...lines: string[]): Promise<string> {
  const connection = await openConnection(await serveProduct());
  connection.send(lines.join("\r\n"));
  return connection.rest();
}

async function answerTo(...lines: string[]): Promise<Answer & { readonly json: unknown }> {
  const [answer] = parseAnswers(await conversation(...lines));
  if (answer === undefined) throw new Error("The server sent no answer.");
  return { ...answer, json: answer.body === "" ? undefined : JSON.parse(answer.body) };
}

const problem = (status: number, code: string, title: string, detail: string) => ({
  type: "about:blank",
  title,
  status,
  detail,
  code,
  errors: [],
});

const FAULTY = "The request has faults";

describe("a request is refused with a problem document", () => {
  test("without a Host header", async () => {
    const { status, headers, json } = await answerTo("GET /health HTTP/1.1", "connection: close", "", "");
    expect([status, headers["content-type"]]).toEqual([400, "application/problem+json"]);
    expect(json).toEqual(problem(400, "invalid", FAULTY, "The request has no Host header: send one."));
  });

  test("with two Host headers, even equal ones", async () => {
    const { status, json } = await answerTo(
      "GET /health HTTP/1.1",
      "host: localhost",
      "host: localhost",
      "connection: close",
      "",
      "",
    );
    expect(status).toBe(400);
    expect(json).toEqual(problem(400, "invalid", FAULTY, "The request has several Host headers: send one."));
  });

  test("with an unknown expectation", async () => {
    const { status, headers, json } = await answerTo(
      "GET /health HTTP/1.1",
      "host: localhost",
      "expect: a-miracle",
      "",
      "",
    );
    expect([status, headers["content-type"], headers.connection]).toEqual([
      417,
      "application/problem+json",
      "close",
    ]);
    const detail = "Expect: a-miracle cannot be met here: leave the header out, or send 100-continue.";
    expect(json).toEqual(problem(417, "invalid", FAULTY, detail));
  });

  test("with the method CONNECT, which is for proxies", async () => {
    const { status, headers, json } = await answerTo("CONNECT shop.example:443 HTTP/1.1", "host: x", "", "");
    expect([status, headers.allow]).toEqual([405, "GET, HEAD, POST, PATCH, DELETE, OPTIONS"]);
    const detail = "CONNECT is not taken here: this server is no proxy.";
    expect(json).toEqual(problem(405, "method_not_allowed", "Method not allowed", detail));
  });
});

describe("a client that is refused CONNECT", () => {
  const CONNECT = "CONNECT shop.example:443 HTTP/1.1\r\nhost: x\r\n\r\n";

  test("and resets its connection does not end the server", async () => {
    const { url, server } = await start(openEdge().edge);
    const accepted = once(server, "connection");
    const connection = await openConnection(url);
    const [socket] = (await accepted) as [Socket];
    const closed = new Promise((resolve) => socket.once("close", resolve));
    // The reset arrives together with the request, before the server has answered it.
    connection.socket.write(CONNECT, () => connection.socket.resetAndDestroy());
    await closed;
    expect((await ask(url, { path: "/health" })).status).toBe(200);
  });

  test("and leaves its connection open is disconnected", async () => {
    const { url, server } = await start(openEdge().edge);
    const accepted = once(server, "connection");
    const { hostname, port } = new URL(url);
    const client = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    onTestFinished(() => void client.destroy());
    client.resume().write(CONNECT);
    const [socket] = (await accepted) as [Socket];
    await once(client, "end");
    await new Promise((resolve) => socket.once("close", resolve));
    expect(socket.destroyed).toBe(true);
  });
});

test("HTTP/1.0 needs no Host header", async () => {
  const keys = { write: [], read: [], admin: ["0123456789abcdef"] };
  const connection = await openConnection(await serve(openEdge({ keys }).edge));
  connection.send("GET /health HTTP/1.0\r\n\r\n");
  expect(await connection.rest()).toMatch(/^HTTP\/1\.1 200 /);
});

test("a server without keys refuses HTTP/1.0, the default of nginx as a proxy", async () => {
  const { status, json } = await answerTo("GET /health HTTP/1.0", "host: 127.0.0.1:20000", "", "");
  expect(status).toBe(403);
  expect(json).toMatchObject({
    code: "forbidden",
    detail: expect.stringContaining("this one came with HTTP/1.0, which proxies speak."),
  });
});

describe("a target in absolute form", () => {
  test("is accepted, and its host overrides the Host header", async () => {
    const get = (target: string, host: string) =>
      answerTo(`GET ${target} HTTP/1.1`, `host: ${host}`, "connection: close", "", "");
    expect((await get("http://localhost:20000/health", "shop.example")).status).toBe(200);
    expect((await get("http://localhost:20000/apiv1/ab-tests?limit=0", "localhost")).status).toBe(400);
    expect((await get("http://shop.example/health", "localhost")).status).toBe(403);
  });
});

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const body = JSON.stringify({ event_type: "a" });

describe("a request with Expect: 100-continue", () => {
  const post = (path: string, ...headers: string[]) =>
    conversation(`POST ${path} HTTP/1.1`, "host: localhost", "expect: 100-continue", ...headers, "", "");

  test.each<[string, string, string[], number]>([
    ["has a body that is too large", "/apiv1/events", ["content-length: 6000000"], 413],
    ["has an unsupported content type", "/apiv1/events", ["content-length: 9", "content-type: a/b"], 415],
    ["is for an unknown path", "/nowhere", ["content-length: 9"], 404],
    ["comes through a proxy", "/apiv1/events", ["content-length: 9", "via: 1.1 proxy"], 403],
  ])("is refused without 100 Continue if it %s", async (_name, path, headers, status) => {
    const text = await post(path, ...headers, "connection: close");
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).not.toContain("100 Continue");
  });

  test("gets 100 Continue once, and an answer", async () => {
    const connection = await openConnection(await serveProduct());
    const lines = ["POST /apiv1/events HTTP/1.1", "host: localhost", "expect: 100-continue"];
    connection.send([...lines, `content-length: ${body.length}`, "connection: close", "", ""].join("\r\n"));
    expect(await connection.until(/100 Continue/)).toBe(CONTINUE);
    connection.send(body);
    const text = await connection.rest();
    expect(text.slice(CONTINUE.length)).toMatch(/^HTTP\/1\.1 201 /);
    expect(text.split("100 Continue")).toHaveLength(2);
  });
});
