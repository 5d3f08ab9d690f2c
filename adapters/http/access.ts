import { hash, timingSafeEqual } from "node:crypto";
import { Failure } from "../../domain/failure.ts";
import type { Access } from "../../handlers/contract/endpoint.ts";
import { isLoopback } from "../addresses.ts";
import type { Keys } from "../settings.ts";
import type { HttpRequest } from "./message.ts";

type Scope = "write" | "read" | "admin";

const digest = (key: string): Buffer => hash("sha256", key, "buffer");

/** The key of `Authorization: Bearer …`, or of `?key=` for a beacon, which cannot send headers. */
export function keyOf(request: HttpRequest, query: URLSearchParams | undefined): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return query?.get("key") ?? undefined;
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

/** Who asks: a known key with its scopes, or whoever is at an address. */
export interface Caller {
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

export interface Gate {
  callerOf(request: HttpRequest, key: string | undefined): Caller;
  /** Lets the caller use an endpoint of this access, or throws why not. */
  admit(request: HttpRequest, key: string | undefined, caller: Caller, access: Access): void;
}

const NO_SCOPES: ReadonlySet<Scope> = new Set();

export function createGate(keys: Keys | undefined): Gate {
  const known = (["write", "read", "admin"] as const).flatMap((scope) =>
    (keys?.[scope] ?? []).map((key) => ({ scope, digest: digest(key) })),
  );

  // Digests are of one length, and all are compared: the time taken tells nothing of any key.
  function scopesOf(given: Buffer): ReadonlySet<Scope> {
    const matching = known.filter((candidate) => timingSafeEqual(candidate.digest, given));
    return matching.length === 0 ? NO_SCOPES : new Set(matching.map(({ scope }) => scope));
  }

  return {
    callerOf({ address }, key) {
      if (key === undefined || known.length === 0) return { name: address, scopes: NO_SCOPES };
      const given = digest(key);
      const scopes = scopesOf(given);
      // A key that is not known names nobody: else who makes one up for each request would never be limited.
      return { name: scopes.size > 0 ? given.toString("base64") : address, scopes };
    },

    admit(request, key, { scopes }, access) {
      if (keys === undefined) refuseStrangers(request);
      if (keys === undefined || access === "open") return;
      if (key === undefined) {
        throw new Failure("unauthorized", `Send a key with ${access} access: Authorization: Bearer <key>.`);
      }
      if (scopes.size === 0)
        throw new Failure("unauthorized", "This key is not known here, or not any more.");
      if (scopes.has("admin") || scopes.has(access)) return;
      throw new Failure(
        "forbidden",
        `This key has ${[...scopes].join(" and ")} access; ${access} is needed.`,
      );
    },
  };
}
