import { hash, timingSafeEqual } from "node:crypto";
import { Failure } from "../../../domain/failure.ts";
import { SHARE_PREFIX } from "../../../domain/shares/share-link.ts";
import type { Access } from "../../../handlers/contract/endpoint.ts";
import { isLoopback } from "../../addresses.ts";
import type { Keys } from "../../settings.ts";
import type { HttpRequest } from "../message.ts";

type Scope = "write" | "read" | "admin";

/** The sender of a request, identified by its key. On a server without keys every caller is anonymous. */
export type Caller =
  | { readonly kind: "anonymous" }
  | { readonly kind: "unknown key" }
  /** Has the form of a share link's secret. Whether there is such a link is looked up later. */
  | { readonly kind: "share"; readonly inQuery: boolean }
  | { readonly kind: "key"; readonly id: string; readonly scope: Scope; readonly inQuery: boolean };

const ANONYMOUS: Caller = { kind: "anonymous" };
const UNKNOWN_KEY: Caller = { kind: "unknown key" };

/** The key of an `Authorization` header. Of Basic it is the part before the colon; other schemes have no known key. */
function keyOfAuthorization(header: string): string {
  const [, scheme = "", value = ""] = /^(bearer|basic) +(.+)$/i.exec(header) ?? [];
  if (scheme.toLowerCase() !== "basic") return scheme === "" ? header : value.trim();
  return Buffer.from(value, "base64").toString().split(":", 1)[0] ?? "";
}

function keyOf({ headers }: HttpRequest, query: URLSearchParams | undefined) {
  const { authorization, "x-api-key": apiKey } = headers;
  if (apiKey !== undefined) return { key: apiKey.trim(), inQuery: false };
  if (authorization !== undefined) return { key: keyOfAuthorization(authorization), inQuery: false };
  const key = query?.get("key");
  return key ? { key, inQuery: true } : undefined;
}

/** The key or secret that the headers of a request carry. */
export const secretOf = (request: HttpRequest): string | undefined => keyOf(request, undefined)?.key;

const hostOf = (header: string): string => header.replace(/:\d+$/, "");

const PROXY_HEADER = /^(?:forwarded|via|x-real-ip|x-forwarded-.+)$/;

const notLocal = (reason: string): Failure =>
  new Failure(
    "forbidden",
    `Without keys this server answers only requests to localhost from the same machine, and this one ${reason}. ` +
      "Set ANALYTICS_ADMIN_KEYS, ANALYTICS_WRITE_KEYS and ANALYTICS_READ_KEYS.",
  );

/** nginx adds no header by default, and names the server's own address as the host; but it speaks HTTP/1.0. */
export const faultOfVersion = (httpVersion: string | undefined): Failure | undefined =>
  httpVersion === "1.0" ? notLocal("came with HTTP/1.0, which proxies speak") : undefined;

/** Without keys a server is for its own machine alone: the refusal of a request that does not come directly from it. */
function faultOfOrigin({ address, headers, httpVersion }: HttpRequest): Failure | undefined {
  if (!isLoopback(address)) return notLocal(`came from ${address || "an unknown address"}`);
  const header = Object.keys(headers).find((name) => PROXY_HEADER.test(name));
  if (header !== undefined) return notLocal(`came through a proxy, which its header ${header} tells`);
  // A web site can point a name of its own at this machine, so that browsers send requests from its pages.
  if (headers.host !== undefined && !isLoopback(hostOf(headers.host)))
    return notLocal(`is for ${headers.host}`);
  return faultOfVersion(httpVersion);
}

type ByKey = Exclude<Caller, { readonly kind: "share" }>;

/** A share link opens its own page, and no key does: its address is fixed by the link. */
function admitShare(access: Access, caller: Caller): void {
  if (access !== "share") {
    throw new Failure("forbidden", "A share link opens its own page and nothing else. This needs a key.");
  }
  if (caller.kind === "anonymous" || caller.kind === "unknown key") {
    throw new Failure(
      "unauthorized",
      `Send the secret of a share link: Authorization: Bearer ${SHARE_PREFIX}….`,
    );
  }
  if (caller.kind === "key") {
    throw new Failure("forbidden", "This answers share links only; keys have endpoints of their own.");
  }
  if (caller.inQuery) {
    throw new Failure(
      "forbidden",
      "The secret of a share link is not accepted in an address, which logs keep: send Authorization: Bearer <secret>.",
    );
  }
}

function admitTo(access: Exclude<Access, "open" | "share">, caller: ByKey): void {
  if (caller.kind === "anonymous") {
    throw new Failure("unauthorized", `Send a key with ${access} access: Authorization: Bearer <key>.`);
  }
  if (caller.kind === "unknown key")
    throw new Failure("unauthorized", "This key is not known to this server.");
  const { scope, inQuery } = caller;
  if (scope === "admin" && inQuery) {
    const detail =
      "An admin key is not accepted in an address, which logs keep: send Authorization: Bearer <key>.";
    throw new Failure("forbidden", detail);
  }
  if (scope === "admin" || scope === access) return;
  throw new Failure("forbidden", `This key has ${scope} access; ${access} access is needed.`);
}

export interface Gate {
  /** Recognises the request's key, from its headers or from `key` in its query. */
  callerOf(request: HttpRequest, query: URLSearchParams | undefined): Caller;
  /** Recognises a key that was sent in another place than these; undefined where none was sent. */
  callerWith(key: string | undefined): Caller;
  /** On a server without keys, refuses every request that does not come directly from this machine. */
  refuseRemote(request: HttpRequest): void;
  /** Throws a refusal unless the caller may use endpoints of this access. */
  admit(caller: Caller, access: Access): void;
}

const digest = (key: string): Buffer => hash("sha256", key, "buffer");

export function createGate(keys: Keys | undefined): Gate {
  const known = (["write", "read", "admin"] as const).flatMap((scope) =>
    (keys?.[scope] ?? []).map((key) => ({ scope, digest: digest(key) })),
  );

  // Holds keys of this server alone, so that it cannot grow. A digest costs ten times as much as this look-up, which goes
  // by the hash of the whole key: it tells no part of a key.
  const recognised = { header: new Map<string, Caller>(), query: new Map<string, Caller>() };

  function recognise(key: string, inQuery: boolean): Caller {
    if (keys === undefined) return key.startsWith(SHARE_PREFIX) ? { kind: "share", inQuery } : ANONYMOUS;
    const callers = inQuery ? recognised.query : recognised.header;
    const remembered = callers.get(key);
    if (remembered !== undefined) return remembered;
    const caller = compare(key, inQuery);
    if (caller.kind === "key") callers.set(key, caller);
    return caller;
  }

  function compare(key: string, inQuery: boolean): Caller {
    const given = digest(key);
    // Digests have one length, and all of them are compared: the time taken tells nothing about the keys.
    const [match] = known.filter((candidate) => timingSafeEqual(candidate.digest, given));
    if (match === undefined) return key.startsWith(SHARE_PREFIX) ? { kind: "share", inQuery } : UNKNOWN_KEY;
    return { kind: "key", id: given.toString("base64"), scope: match.scope, inQuery };
  }

  return {
    callerOf(request, query) {
      const sent = keyOf(request, query);
      return sent === undefined ? ANONYMOUS : recognise(sent.key, sent.inQuery);
    },

    callerWith: (key) => (key === undefined ? ANONYMOUS : recognise(key, false)),

    refuseRemote(request) {
      const fault = keys === undefined ? faultOfOrigin(request) : undefined;
      if (fault !== undefined) throw fault;
    },

    admit(caller, access) {
      if (access === "open") return;
      if (caller.kind === "share" || access === "share") admitShare(access, caller);
      else if (keys !== undefined) admitTo(access, caller);
    },
  };
}
