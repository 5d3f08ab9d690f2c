import { isUtf8 } from "node:buffer";
import { Failure } from "../../../domain/failure.ts";
import { BrokenLine, MAX_BATCH, tooManyItems } from "../../../handlers/contract/batch.ts";
import type { Endpoint } from "../../../handlers/contract/endpoint.ts";
import type { HttpRequest } from "../message.ts";
import { attributesBeside } from "./beside-body.ts";
import { type Decompress, hasDecoder } from "./decompression.ts";
import { parseExactly } from "./exact-json.ts";
import { type Excess, exceededBound, MAX_FOREIGN_LEVELS, MAX_LEVELS } from "./json-bounds.ts";

/** The largest body, of a batch, before and after decompression. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** The largest body of an endpoint that takes no batch: an experiment with its variants and metrics has room in it. */
const MAX_SINGLE_BYTES = 512 * 1024;
// Parsing and checking take up to a microsecond for each value, and hold up the event loop.
const MAX_BATCH_VALUES = 50_000;
const MAX_VALUES = 40_000;
/** Many bodies may arrive or be decompressed at the same moment. Larger ones are parsed one after the other, in turn. */
export const MIN_BYTES_IN_TURN = 16 * 1024;
// A shorter body cannot hold enough to matter.
const MIN_CHECKED_BYTES = 4 * 1024;

export const bodyTooLarge = (limit: number): Failure =>
  new Failure(
    "too_large",
    `The body is larger than the ${limit} bytes that are taken here: send less at a time.`,
  );

export const clientGone = (): Failure => new Failure("timeout", "The connection ended before the body did.");

const noJson = (detail: string): Failure =>
  new Failure("invalid", detail, { faults: [{ path: "", message: detail }] });

const limitOf = ({ maxBytes, lines }: Endpoint): number =>
  maxBytes ?? (lines ? MAX_BODY_BYTES : MAX_SINGLE_BYTES);

const maxLevelsOf = ({ foreign }: Endpoint): number =>
  foreign === undefined ? MAX_LEVELS : MAX_FOREIGN_LEVELS;

const maxValuesOf = ({ lines }: Endpoint): number => (lines ? MAX_BATCH_VALUES : MAX_VALUES);

const tooManyValues = (endpoint: Endpoint): Failure =>
  new Failure(
    "too_large",
    `The body holds more than the ${maxValuesOf(endpoint)} values that are taken here: send less at a time.`,
  );

/** The encoding of the body; refused before the body is read where there is no decoder for it. */
function encodingOf({ headers }: HttpRequest): string {
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || hasDecoder(encoding)) return encoding;
  throw new Failure(
    "unsupported_media_type",
    `Content-Encoding ${encoding} is not read here: use gzip, br or none.`,
  );
}

type Format = "json" | "lines" | "form";

// A page's beacon cannot choose its type freely: text/plain and no type are JSON too.
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
  if (endpoint.foreign?.attributes !== undefined && /^application\/[\w.-]+\+json$/.test(type)) return "json";
  if (type === "application/x-www-form-urlencoded" && endpoint.foreign?.isPacked) return "form";
  if (type === "application/x-ndjson" && endpoint.lines) return "lines";
  const known = endpoint.lines ? "application/json or application/x-ndjson" : "application/json";
  throw new Failure("unsupported_media_type", `Content-Type ${type} is not read here: use ${known}.`);
}

const NEWLINE = 0x0a;
const SPACE = 0x20;

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

const withoutMark = (bytes: Uint8Array): Uint8Array =>
  BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? bytes.subarray(3) : bytes;

/** Whether there is nothing but the white space that JSON allows between its values. `every` takes seven times as long. */
function isBlank(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if ((bytes[at] ?? 0) > SPACE) return false;
  return true;
}

function parseJson(bytes: Uint8Array, endpoint: Endpoint): unknown {
  const budget = { left: maxValuesOf(endpoint) };
  const excess =
    bytes.byteLength > MIN_CHECKED_BYTES ? exceededBound(bytes, budget, maxLevelsOf(endpoint)) : undefined;
  if (excess === "values") throw tooManyValues(endpoint);
  if (excess === "levels") throw noJson("The body is nested too deeply: no request has so many levels.");
  try {
    return parseExactly(textOf(bytes));
  } catch (error) {
    if (isBlank(bytes)) throw noJson("The body is empty: send JSON.");
    throw noJson(`The body is not JSON: ${error instanceof Error ? error.message : "unreadable"}.`);
  }
}

interface Line {
  /** From 1, blank lines included. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The lines that are not blank. Stops at the first one too many, so that a million lines cost no more than these. */
function linesOf(bytes: Uint8Array): Line[] {
  const lines: Line[] = [];
  let number = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte > SPACE) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline;
      lines.push({ number, bytes: bytes.subarray(at, end) });
      if (lines.length > MAX_BATCH) throw tooManyItems(`more than ${MAX_BATCH}`);
      at = end;
    }
    if (bytes[at] === NEWLINE) number += 1;
  }
  return lines;
}

function parseLine({ number, bytes }: Line, excess: Excess | undefined): unknown {
  if (excess === "levels") return new BrokenLine(number, "is nested too deeply");
  try {
    return parseExactly(textOf(bytes));
  } catch {
    return new BrokenLine(number);
  }
}

/** Runs an act whose errors carry no stack: to collect one takes longer than to parse the line that is at fault. */
function withoutStacks<T>(act: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return act();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function parseLines(bytes: Uint8Array, endpoint: Endpoint): unknown[] {
  const budget = { left: maxValuesOf(endpoint) };
  return linesOf(bytes).map((line) => {
    const excess = exceededBound(line.bytes, budget);
    if (excess === "values") throw tooManyValues(endpoint);
    return parseLine(line, excess);
  });
}

function parse(bytes: Uint8Array, format: Format, endpoint: Endpoint): unknown {
  if (!isUtf8(bytes)) throw noJson("The body is not UTF-8.");
  const json = withoutMark(bytes);
  if (format === "lines") return withoutStacks(() => parseLines(json, endpoint));
  return withoutStacks(() => parseJson(format === "form" ? formData(json) : json, endpoint));
}

/** The field `data` of a form: JSON, or JSON in base64. */
function formData(bytes: Uint8Array): Uint8Array {
  const data = new URLSearchParams(textOf(bytes)).get("data") ?? "";
  return Buffer.from(data, /^\s*[[{]/.test(data) ? "utf8" : "base64");
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The encoding that a body was sent in, where its client may have said nothing of it. */
const trueEncoding = (sent: Uint8Array, encoding: string, { foreign }: Endpoint): string =>
  encoding === "identity" && foreign?.isPacked && isGzip(sent) ? "gzip" : encoding;

/** Decompresses a body. Parsing a long one takes its turn. */
function unpack(
  request: HttpRequest,
  {
    bytes,
    encoding,
    limit,
  }: { readonly bytes: Uint8Array; readonly encoding: string; readonly limit: number },
  decompress: Decompress,
  finish: (body: Uint8Array | Failure) => void,
): void {
  const isGone = (): boolean => request.gone().aborted;
  decompress({ bytes, encoding, limit, isGone }, (output, done) => {
    const end = (body: Uint8Array | Failure): void => {
      finish(body);
      done();
    };
    if (output === "too large") end(bodyTooLarge(limit));
    else if (output === "broken") {
      end(noJson(`The body is not what its Content-Encoding says: it is broken ${encoding}.`));
    } else if (output instanceof Failure) end(isGone() ? clientGone() : output);
    else if (output.byteLength < MIN_BYTES_IN_TURN) end(output);
    else request.inTurn((failure) => end(failure ?? output));
  });
}

/**
 * Reads the body of a request: checks its size, encoding, type and complexity, but not its meaning. Throws what can be
 * said before the body is read; `take` is given a function that returns the value, or throws what is wrong with it.
 */
export function readBody(
  request: HttpRequest,
  endpoint: Endpoint,
  decompress: Decompress,
  take: (value: () => unknown) => void,
): void {
  const limit = limitOf(endpoint);
  const format = formatOf(request.headers["content-type"] ?? "", endpoint);
  const declared = encodingOf(request);
  const attributes = attributesBeside(request.headers, endpoint);
  const finish = (body: Uint8Array | Failure): void =>
    take(() => {
      if (body instanceof Failure) throw body;
      if (attributes === undefined) return parse(body, format, endpoint);
      return { ...attributes, data: isBlank(body) ? undefined : parse(body, format, endpoint) };
    });
  request.read(limit, (bytes) => {
    const encoding = bytes instanceof Failure ? "identity" : trueEncoding(bytes, declared, endpoint);
    if (bytes instanceof Failure || encoding === "identity") finish(bytes);
    else unpack(request, { bytes, encoding, limit }, decompress, finish);
  });
}
