import { isUtf8 } from "node:buffer";
import { promisify } from "node:util";
import { brotliDecompress, gunzip } from "node:zlib";
import { Failure } from "../../domain/failure.ts";
import { BrokenLine } from "../../handlers/contract/batch.ts";
import type { Endpoint } from "../../handlers/contract/endpoint.ts";
import type { HttpRequest } from "./message.ts";

/** Of any body, compressed or not. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

const decoders = new Map([
  ["gzip", promisify(gunzip)],
  ["x-gzip", promisify(gunzip)],
  ["br", promisify(brotliDecompress)],
]);

export const bodyTooLarge = (limit: number): Failure =>
  new Failure(
    "too_large",
    `The body is larger than the ${limit} bytes that are taken here: send less at a time.`,
  );

const noJson = (detail: string): Failure =>
  new Failure("invalid", detail, { faults: [{ path: "", message: detail }] });

async function decompress(body: Uint8Array, encoding: string, limit: number): Promise<Uint8Array> {
  const decode = decoders.get(encoding);
  if (decode === undefined) {
    throw new Failure(
      "unsupported_media_type",
      `Content-Encoding ${encoding} is not read here: use gzip, br or none.`,
    );
  }
  try {
    // It stops as soon as it has put out more, so that a bomb costs no more memory than an honest body.
    return await decode(body, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) throw bodyTooLarge(limit);
    throw noJson(`The body is not what its Content-Encoding says: it is broken ${encoding}.`);
  }
}

type Format = "json" | "lines";

// A page's beacon cannot choose its type freely, hence text/plain and none.
function formatOf(contentType: string, endpoint: Endpoint): Format {
  if (contentType === "application/json") return "json";
  const [type = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  if (charset !== undefined && !["utf-8", "utf8", '"utf-8"', "us-ascii"].includes(charset)) {
    throw new Failure("unsupported_media_type", `Charset ${charset} is not read here: send UTF-8.`);
  }
  if (["", "application/json", "text/plain"].includes(type)) return "json";
  if (type === "application/x-ndjson" && endpoint.lines) return "lines";
  const known = endpoint.lines ? "application/json or application/x-ndjson" : "application/json";
  throw new Failure("unsupported_media_type", `Content-Type ${type} is not read here: use ${known}.`);
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw noJson("The body is not UTF-8.");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function parseJson(text: string): unknown {
  if (text.trim() === "") throw noJson("The body is empty: send JSON.");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw noJson(`The body is not JSON: ${error instanceof Error ? error.message : "unreadable"}.`);
  }
}

function parseLine(line: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return new BrokenLine(index + 1);
  }
}

function parseLines(text: string): unknown[] {
  return text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [parseLine(line, index)]));
}

/** The value that a request's body stands for: checked for size, encoding and type, not yet for its meaning. */
export async function decodeBody(request: HttpRequest, endpoint: Endpoint): Promise<unknown> {
  const limit = endpoint.maxBytes ?? MAX_BODY_BYTES;
  const format = formatOf(request.headers["content-type"] ?? "", endpoint);
  const sent = await request.read(limit);
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const bytes = encoding === "identity" ? sent : await decompress(sent, encoding, limit);
  const text = textOf(bytes);
  return format === "json" ? parseJson(text) : parseLines(text);
}
