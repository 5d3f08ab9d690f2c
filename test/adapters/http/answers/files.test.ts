import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { createStaticFiles } from "../../../../adapters/http/answers/files.ts";
import { openEdge } from "../../../world.ts";

/** A server whose folder of web files holds these. */
async function serving(files: Readonly<Record<string, string>>, dashboard?: string, timezone?: string) {
  const folder = await mkdtemp(join(tmpdir(), "analytics-files-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const add = (name: string, text: string) => writeFile(join(folder, name), text);
  const found = createStaticFiles(pathToFileURL(`${folder}/`), dashboard, timezone);
  return { ...openEdge({}, {}, { files: found }), files: found, add };
}

test("the dashboard has a content security policy that allows only its own origin", async () => {
  const { send } = await serving({ "dashboard.html": "<!doctype html>" });
  const { status, headers, body } = await send({ path: "/" });
  expect([status, body]).toEqual([200, "<!doctype html>"]);
  expect(headers).toEqual({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "content-security-policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    vary: "accept-encoding",
    etag: expect.stringMatching(/^"[\w-]{22}"$/),
    "x-content-type-options": "nosniff",
    "x-request-id": "request-1",
  });
});

test("the dashboard names the time zone of the server", async () => {
  const files = { "dashboard.html": '<html data-timezone="UTC">' };
  const bodyOf = async (timezone?: string) =>
    (await (await serving(files, "/", timezone)).send({ path: "/" })).body;
  expect(await bodyOf("America/New_York")).toBe('<html data-timezone="America/New_York">');
  expect(await bodyOf()).toBe('<html data-timezone="UTC">');
});

test("pages of any origin may load and cache the browser client", async () => {
  const { send } = await serving({ "client.js": "export {}" });
  const { headers } = await send({ path: "/client.js" });
  expect(headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "max-age=600, stale-while-revalidate=2592000",
    "access-control-allow-origin": "*",
  });
});

test("a client with the current file gets 304 without a body", async () => {
  const { send } = await serving({ "dashboard.js": "run()" });
  const { headers } = await send({ path: "/dashboard.js" });
  const { etag = "" } = headers;
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`]) {
    const again = await send({ path: "/dashboard.js", headers: { "if-none-match": tags } });
    expect([again.status, again.body]).toEqual([304, ""]);
    expect(again.headers).toMatchObject({ etag, "cache-control": "no-cache" });
    expect(again.headers).not.toHaveProperty("content-type");
  }
  expect((await send({ path: "/dashboard.js", headers: { "if-none-match": '"other"' } })).status).toBe(200);
});

test.each([
  ["gzip, br", true],
  ["br;q=1.0, GZIP;q=0.8", true],
  ["*", true],
  ["gzip;q=0.001", true],
  ["gzip;q=0", false],
  ["gzip; q=0.000, br", false],
  ["*;q=0", false],
  ["gzip;q=0, *", false],
  ["x-gzipped, br", false],
  ["identity", false],
  ["", false],
  [undefined, false],
])("Accept-Encoding: %s gets a compressed file: %s", async (encodings, isCompressed) => {
  const { files } = await serving({ "dashboard.css": "a{}" });
  const file = files.list.find(({ name }) => name === "dashboard.css");
  if (file === undefined) throw new Error("dashboard.css is not listed");
  const { headers, body } = await files.serve({ headers: { "accept-encoding": encodings } }, file);
  expect(headers["content-encoding"]).toBe(isCompressed ? "gzip" : undefined);
  const content = isCompressed ? gunzipSync(body as Uint8Array) : Buffer.from(body as Uint8Array);
  expect(content.toString()).toBe("a{}");
});

test("the dashboard can be served under a path, which its links contain", async () => {
  const page = '<link href="/dashboard.css"><script src="/dashboard.js"></script><a href="#/x">';
  const { send } = await serving(
    { "dashboard.html": page, "dashboard.js": "run()", "client.js": "export {}" },
    "/analytics",
  );
  const moved = page.replaceAll('"/', '"/analytics/');
  for (const path of ["/analytics", "/analytics/"]) {
    expect(await send({ path })).toMatchObject({ status: 200, body: moved });
  }
  expect(await send({ path: "/analytics/dashboard.js" })).toMatchObject({ status: 200, body: "run()" });
  expect(await send({ path: "/client.js" })).toMatchObject({ status: 200, body: "export {}" });
  for (const path of ["/", "/dashboard.js", "/analytics/client.js"]) {
    expect((await send({ path })).status, path).toBe(404);
  }
});

test("a missing file is refused with the command that builds it, and served once it exists", async () => {
  const { send, add } = await serving({});
  const { status, body } = await send({ path: "/dashboard.js" });
  expect(status).toBe(404);
  expect(body).toMatchObject({
    code: "not_found",
    detail: "This server was built without dashboard.js: run npm run build.",
  });
  await add("dashboard.js", "run()");
  expect(await send({ path: "/dashboard.js" })).toMatchObject({ status: 200, body: "run()" });
});

test("a file accepts only GET and HEAD, and is logged by name", async () => {
  const { send, logs } = await serving({ "icon.svg": "<svg/>" });
  expect(await send({ method: "POST", path: "/icon.svg" })).toMatchObject({
    status: 405,
    headers: { allow: "GET" },
  });
  expect(await send({ method: "OPTIONS", path: "/icon.svg" })).toMatchObject({
    status: 204,
    headers: { allow: "OPTIONS, GET" },
  });
  expect(await send({ method: "HEAD", path: "/icon.svg" })).toMatchObject({ status: 200, body: "" });
  expect(logs.at(-1)).toMatchObject({ level: "debug", message: "icon.svg", status: 200 });
});
