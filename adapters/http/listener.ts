import type { IncomingMessage, ServerResponse } from "node:http";
import type { Edge } from "./edge.ts";
import { createAnswers } from "./socket/answers.ts";
import { NodeRequest } from "./socket/node-request.ts";
import { oneAtATime } from "./socket/pipeline.ts";
import { createUploads } from "./socket/uploads.ts";

export interface ListenerOptions {
  /** Whether the storage can take a large write now. While it cannot, large bodies are not read. */
  readonly hasRoom?: () => boolean;
  /** While the server stops, each answer is the last of its connection. */
  readonly isStopping?: () => boolean;
  /** The server's event `checkContinue` leads here too: a body is invited with 100 Continue when it is to be read. */
  readonly invites?: boolean;
}

export type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves the edge to Node's HTTP server. */
export function createListener(
  edge: Edge,
  { hasRoom = () => true, isStopping = () => false, invites = false }: ListenerOptions = {},
): Listener {
  const uploads = createUploads(hasRoom);
  const answer = createAnswers(isStopping);
  return oneAtATime((request, response) => {
    edge(new NodeRequest(request, response, uploads, invites), (content) => {
      uploads.release(request);
      answer({ request, response, content });
    });
  });
}
