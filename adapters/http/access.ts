import { hash, timingSafeEqual } from "node:crypto";
import { Failure } from "../../domain/failure.ts";
import type { Access } from "../../handlers/endpoint.ts";
import { isLoopback, type Keys } from "../environment.ts";
import type { HttpRequest } from "./message.ts";

type Scope = "write" | "read" | "admin";

const digest = (key: string): Buffer => hash("sha256", key, "buffer");

/** The key of `Authorization: Bearer …`, or of `?key=` for a beacon, which cannot send headers. */
export function keyOf(request: HttpRequest, query: URLSearchParams): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return query.get("key") ?? undefined;
  return /^bearer +(.+)$/i.exec(header)?.[1]?.trim() ?? header;
}

const hostOf = (header: string): string => header.replace(/:\d+$/, "");

/** Without keys a server serves this machine alone, also where a name of somebody else's points at it. */
function refuseStrangers({ headers }: HttpRequest): void {
  const { host } = headers;
  if (host === undefined || isLoopback(hostOf(host))) return;
  throw new Failure(
    "forbidden",
    `Without keys this server answers to localhost, not to ${host}: set its keys.`,
  );
}

/** Decides whether a request may use an endpoint of this access, or throws why not. */
export function createGate(keys: Keys | undefined) {
  const known = (["write", "read", "admin"] as const).flatMap((scope) =>
    (keys?.[scope] ?? []).map((key) => ({ scope, digest: digest(key) })),
  );

  // Digests are of one length, and all are compared: the time taken tells nothing of any key.
  function scopesOf(key: string): Set<Scope> {
    const given = digest(key);
    const matching = known.filter((candidate) => timingSafeEqual(candidate.digest, given));
    return new Set(matching.map(({ scope }) => scope));
  }

  return (request: HttpRequest, key: string | undefined, access: Access): void => {
    if (keys === undefined) refuseStrangers(request);
    if (keys === undefined || access === "open") return;
    if (key === undefined) {
      throw new Failure("unauthorized", `Send a key with ${access} access: Authorization: Bearer <key>.`);
    }
    const scopes = scopesOf(key);
    if (scopes.size === 0) throw new Failure("unauthorized", "This key is not known here, or not any more.");
    if (scopes.has("admin") || scopes.has(access)) return;
    throw new Failure("forbidden", `This key has ${[...scopes].join(" and ")} access; ${access} is needed.`);
  };
}
