import type { AddressInfo, Server } from "node:net";

/** A server cannot listen. The message says why, and which setting to change. */
export class CannotListen extends Error {
  override readonly name = "CannotListen";
}

const REASONS: Record<string, string> = {
  EADDRINUSE: "is already in use: stop the other program, or set ANALYTICS_PORT to another port",
  EACCES: "may not be used by this user: set ANALYTICS_PORT to 1024 or more",
  EADDRNOTAVAIL: "is no address of this machine: set ANALYTICS_HOST",
  ENOTFOUND: "is no known host: set ANALYTICS_HOST",
};

const placeOf = (host: string, port: number): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): CannotListen {
  const reason =
    REASONS[error.code ?? ""] ?? `cannot be used (${error.message}): see ANALYTICS_HOST and ANALYTICS_PORT`;
  return new CannotListen(`${placeOf(host, port)} ${reason}`, { cause: error });
}

/** Listens on a host and port, 0 for any free one, and returns the port. Rejects with `CannotListen`. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(cannotListen(error, host, port));
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

export const urlOf = (host: string, port: number): string => `http://${placeOf(host, port)}`;

/** The line that is printed when the server has started. */
export const startLine = (url: string, isOpen: boolean): string =>
  `Analytics Server listens on ${url}, with the dashboard at /. ` +
  (isOpen ? "It is open to everybody on this machine: no keys are set." : "It asks for keys.");

/** The line that is printed when the server cannot start. */
export const refusalLine = (error: unknown): string =>
  `Analytics Server did not start: ${error instanceof Error ? error.message : error}`;
