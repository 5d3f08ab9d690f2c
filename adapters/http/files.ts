import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Document } from "../../handlers/contract/document.ts";
import type { World } from "../../handlers/contract/endpoint.ts";

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

// A page loads nothing but from here, runs nothing but files, and stands in nobody's frame.
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Record<string, Record<string, string>> = {
  html: { "content-security-policy": PAGE_POLICY, "referrer-policy": "no-referrer" },
  // Pages of others wait for it: from their second view on they have it at once, also while this server is away. And
  // what a browser keeps of it must serve pages of any origin, whichever of them asked first.
  "client.js": {
    "cache-control": "max-age=600, stale-while-revalidate=2592000",
    "access-control-allow-origin": "*",
  },
};

const compress = promisify(gzip);

async function load(folder: URL, name: string): Promise<Document | undefined> {
  const ending = name.split(".").at(-1) ?? "";
  const type = TYPES[ending];
  if (type === undefined) return undefined;
  const content = await readFile(new URL(name, folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (content === undefined) return undefined;
  const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  // Asked for again each time, which costs nothing where nothing has changed: nobody has yesterday's page on today's server.
  const headers = { "cache-control": "no-cache", ...HEADERS[ending], ...HEADERS[name] };
  return new Document(type, content, { etag, headers, gzip: await compress(content, { level: 9 }) });
}

/** The files of a folder by their names, each read and compressed once. They never change while the server runs. */
export function createFiles(folder: URL): World["file"] {
  const loaded = new Map<string, Promise<Document | undefined>>();
  return (name) => {
    const known = loaded.get(name) ?? load(folder, name);
    loaded.set(name, known);
    // What could not be read now may be readable next time.
    known.catch(() => loaded.delete(name));
    return known;
  };
}
