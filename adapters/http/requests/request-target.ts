import { Failure } from "../../../domain/failure.ts";

/** The parsed target of a request line. */
export interface RequestTarget {
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** The host of an absolute target, which counts instead of the Host header (RFC 9112, 3.2.2). */
  readonly host: string | undefined;
}

const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;

/** Splits a request target: `/path?query`, or the absolute form that clients send to proxies, `http://host/path?query`. */
export function parseTarget(target: string): RequestTarget {
  const [, host, rest = target] = ABSOLUTE.exec(target) ?? [];
  const mark = rest.indexOf("?");
  const path = mark < 0 ? rest : rest.slice(0, mark);
  return { path: path || "/", query: mark < 0 ? "" : rest.slice(mark + 1), host };
}

const hostFault = (detail: string): Failure => new Failure("invalid", detail);

/**
 * Why a request's host is unclear; undefined where it is clear. With two Host headers two servers may take one request
 * for different ones, and Node itself would take the first. HTTP/1.0 needs none.
 */
export function faultOfHost(rawHeaders: readonly string[], httpVersion: string): Failure | undefined {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  if (hosts > 1) return hostFault("The request has several Host headers: send one.");
  if (hosts === 0 && httpVersion === "1.1") return hostFault("The request has no Host header: send one.");
  return undefined;
}
