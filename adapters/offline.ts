import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import type { Failure } from "../domain/failure.ts";
import { faultOfVersion } from "./http/door/access.ts";
import { faultOfHost } from "./http/requests/request-target.ts";
import { analytics } from "./lambda.ts";
import { listen, startLine, urlOf } from "./listening.ts";

// Used by scripts/serverless-plugin.cjs and scripts/offline-front.cjs, which run the functions under serverless-offline.

export { MAX_BODY_BYTES } from "./http/requests/body.ts";
export { parseTarget } from "./http/requests/request-target.ts";
export { refusal, refusalOf, refuseInProblems } from "./http/socket/refusals.ts";
export { refusalLine } from "./listening.ts";

export const { close } = analytics;

const { host, port, keys } = analytics.settings;
export const listenSettings = { host, port };

/** Faults of a request that the plain server refuses, but that its Lambda event does not show. */
export const faultOf = ({ rawHeaders, httpVersion }: IncomingMessage): Failure | undefined =>
  faultOfHost(rawHeaders, httpVersion) ?? (keys === undefined ? faultOfVersion(httpVersion) : undefined);

/** The port to listen on, a free one for 0. Rejects where serverless-offline could not listen on it. */
export async function freePort(host: string, port: number): Promise<number> {
  const probe = createServer();
  const found = await listen(probe, host, port);
  await new Promise((resolve) => probe.close(resolve));
  return found;
}

export const startedLine = (host: string, port: number): string =>
  startLine(urlOf(host, port), keys === undefined);
