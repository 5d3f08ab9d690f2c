import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Failure } from "../../../domain/failure.ts";
import type { HttpRequest, HttpResponse } from "../message.ts";

/** A file that browsers load from this server. It is routed like an endpoint, and open to everybody. */
export interface StaticFile {
  /** The file's name in the folder of built web files. */
  readonly name: string;
  readonly path: string;
  readonly method: "GET";
  readonly access: "open";
  readonly unlimited: true;
}

const staticFile = (path: string, name: string): StaticFile => ({
  name,
  path,
  method: "GET",
  access: "open",
  unlimited: true,
});

const DASHBOARD_FILES = ["dashboard.js", "dashboard.css", "icon.svg"];
const CLIENT_FILES = ["client.js", "visitor.js", "page-views.js", "script.js"];

/** The files below the dashboard's base path, which is empty or begins with a slash, and the browser clients. */
export const filesBelow = (base: string): readonly StaticFile[] => [
  staticFile(base || "/", "dashboard.html"),
  ...DASHBOARD_FILES.map((name) => staticFile(`${base}/${name}`, name)),
  ...CLIENT_FILES.map((name) => staticFile(`/${name}`, name)),
];

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

// The page loads nothing from elsewhere, runs no inline script and cannot be framed.
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

// Other sites' pages wait for the client, so browsers may use a cached copy at once and while this server is away. The copy
// must serve pages of every origin, whichever of them requested it first.
const CLIENT_HEADERS = {
  "cache-control": "max-age=600, stale-while-revalidate=2592000",
  "access-control-allow-origin": "*",
};

const HEADERS: Record<string, Record<string, string>> = {
  html: { "content-security-policy": PAGE_POLICY, "referrer-policy": "no-referrer" },
  ...Object.fromEntries(CLIENT_FILES.map((name) => [name, CLIENT_HEADERS])),
};

interface LoadedFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
  readonly content: Uint8Array;
  readonly gzipped: Uint8Array;
}

const compress = promisify(gzip);

/** Where a page is served, and for whom. */
interface Site {
  /** The path of the dashboard; empty at the root. */
  readonly base: string;
  /** The name of a time zone. */
  readonly timezone: string;
}

/**
 * A page whose links begin with the base, and which names the time zone of the server. The links are absolute, so that they
 * work with and without a slash at the end.
 */
const pageOf = (page: Buffer, { base, timezone }: Site): Buffer =>
  Buffer.from(
    page
      .toString()
      .replaceAll(/\b(href|src)="\//g, `$1="${base}/`)
      .replace('data-timezone="UTC"', `data-timezone="${timezone}"`),
  );

async function load(folder: URL, name: string, site: Site): Promise<LoadedFile> {
  const stored = await readFile(new URL(name, folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Failure("not_found", `This server was built without ${name}: run npm run build.`);
  });
  const extension = name.split(".").at(-1) ?? "";
  const content = extension === "html" ? pageOf(stored, site) : stored;
  const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  const headers = {
    "content-type": TYPES[extension] ?? "application/octet-stream",
    // Revalidated on each visit, so that an upgraded server never runs with an old page.
    "cache-control": "no-cache",
    ...HEADERS[extension],
    ...HEADERS[name],
    vary: "accept-encoding",
    etag,
  };
  return { headers, etag, content, gzipped: await compress(content, { level: 9 }) };
}

type Asking = Pick<HttpRequest, "headers">;

const hasTag = ({ headers }: Asking, etag: string): boolean =>
  headers["if-none-match"]?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) ?? false;

/** Whether the client reads gzip: named in Accept-Encoding, or meant by `*`, without the quality 0. */
function takesGzip({ headers }: Asking): boolean {
  const codings = (headers["accept-encoding"] ?? "").toLowerCase().split(",");
  const qualities = new Map(
    codings.map((coding) => {
      const [name = "", quality] = coding.split(/;\s*q=/).map((part) => part.trim());
      return [name, quality === undefined ? 1 : Number(quality)];
    }),
  );
  return (qualities.get("gzip") ?? qualities.get("*") ?? 0) > 0;
}

/** The file in an encoding that the client can read, or 304 where the client has it already. */
function respond(request: Asking, { headers, etag, content, gzipped }: LoadedFile): HttpResponse {
  if (hasTag(request, etag)) {
    const { "content-type": _, ...withoutType } = headers;
    return { status: 304, headers: withoutType, body: "" };
  }
  if (!takesGzip(request)) return { status: 200, headers, body: content };
  return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: gzipped };
}

/** The files that browsers load. */
export interface StaticFiles {
  readonly list: readonly StaticFile[];
  /** Answers a request for one of them. */
  serve(request: Asking, file: StaticFile): Promise<HttpResponse>;
}

/** The files of a server without dashboard and browser client. */
export const NO_FILES: StaticFiles = {
  list: [],
  serve: (_request, { name }) => Promise.reject(new Failure("not_found", `This server has no file ${name}.`)),
};

/**
 * The files of a folder, with the dashboard below a path such as `/` or `/analytics`, in a time zone. Each is read and
 * compressed once, because it does not change while the server runs.
 */
export function createStaticFiles(folder: URL, dashboard = "/", timezone = "UTC"): StaticFiles {
  const base = dashboard === "/" ? "" : dashboard;
  const loaded = new Map<string, Promise<LoadedFile>>();

  function loadOnce(name: string): Promise<LoadedFile> {
    const known = loaded.get(name) ?? load(folder, name, { base, timezone });
    loaded.set(name, known);
    // A failed read is tried again at the next request.
    known.catch(() => loaded.delete(name));
    return known;
  }

  return {
    list: filesBelow(base),
    serve: async (request, { name }) => respond(request, await loadOnce(name)),
  };
}
