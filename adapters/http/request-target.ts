/** What a request line asks for. */
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
