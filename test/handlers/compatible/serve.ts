import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { createListener } from "../../../adapters/http/listener.ts";
import type { Settings } from "../../../adapters/settings.ts";
import { openEdge, type TestEdge, usersOf } from "../../world.ts";

export const WRITE_KEY = "write-key-0123456789";
export const READ_KEY = "read-key-0123456789";
export const KEYED: Partial<Settings> = { keys: { read: [READ_KEY], write: [WRITE_KEY], admin: [] } };

/** A refusal that a proxy or an overloaded server sends; "away" closes the connection without an answer. */
export type Trouble = "away" | 429 | 503;

export interface CompatibleServer extends TestEdge {
  readonly url: string;
  /** The paths of all requests that arrived, refused ones included. */
  readonly paths: string[];
  /** Meets the next requests with these, one each, instead of the server's own answers. */
  trouble(...kinds: Trouble[]): void;
}

/** The whole edge behind a real socket, for clients that bring their own way of sending. */
export async function serveCompatible(settings: Partial<Settings> = {}): Promise<CompatibleServer> {
  const edge = openEdge(settings);
  const listener = createListener(edge.edge);
  const paths: string[] = [];
  let troubles: Trouble[] = [];

  const server = createServer((request: IncomingMessage, response) => {
    paths.push(request.url ?? "");
    const [trouble, ...later] = troubles;
    troubles = later;
    if (trouble === undefined) listener(request, response);
    else if (trouble === "away") request.socket.destroy();
    else response.writeHead(trouble, { "retry-after": "0" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    ...edge,
    url: `http://127.0.0.1:${port}`,
    paths,
    trouble: (...kinds) => {
      troubles = kinds;
    },
  };
}

interface Listed {
  readonly event_type: string;
  readonly user_id: string | null;
  readonly session_id?: string | null;
  readonly properties: Record<string, unknown> | null;
  readonly timestamp: string;
}

/** All stored events, oldest first. */
export async function storedEvents({ send }: Pick<TestEdge, "send">): Promise<Listed[]> {
  const { body } = await send({ path: "/apiv1/events?limit=200", headers: { "x-api-key": READ_KEY } });
  const { events } = body as { events: (Listed & { readonly id: number })[] };
  return [...events]
    .sort((a, b) => a.id - b.id)
    .map(({ event_type, user_id, session_id, properties, timestamp }) => ({
      event_type,
      user_id,
      ...(session_id ? { session_id } : {}),
      properties,
      timestamp,
    }));
}

/** The number of users in the example experiment. */
export async function enrolledUsers({ world }: Pick<TestEdge, "world">): Promise<number> {
  return usersOf(await world.storage.experimentCells(1));
}
