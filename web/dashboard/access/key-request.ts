import type { Access } from "./keys.ts";

/** A missing key, and the reason. `answer` tells whether the user gave one. */
export interface KeyRequest {
  readonly access: Access;
  readonly detail: string;
  answer(given: boolean): void;
}

type Listener = (request: KeyRequest | undefined) => void;

let waiting: { readonly request: KeyRequest; readonly answered: Promise<boolean> } | undefined;
let listener: Listener = () => {};

function show(access: Access, detail: string): Promise<boolean> {
  const { promise, resolve } = withResolvers<boolean>();
  const answer = (given: boolean): void => {
    waiting = undefined;
    listener(undefined);
    resolve(given);
  };
  waiting = { request: { access, detail, answer }, answered: promise };
  listener(waiting.request);
  return promise;
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

/** Asks for a key once, whatever the number of requests that wait for it. */
export async function requestKey(access: Access, detail: string): Promise<boolean> {
  if (waiting === undefined) return show(access, detail);
  const { request, answered } = waiting;
  const given = await answered;
  return request.access === access ? given : requestKey(access, detail);
}

/** Subscribes to the current request for a key and its changes. */
export function onKeyRequest(tell: Listener): () => void {
  listener = tell;
  tell(waiting?.request);
  return () => {
    listener = () => {};
  };
}
