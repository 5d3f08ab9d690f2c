import type { Endpoint } from "../../../handlers/contract/endpoint.ts";
import type { HttpRequest } from "../message.ts";

type Headers = HttpRequest["headers"];

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * The attributes of an event that are headers, by their names without the prefix; undefined where there are none, and the
 * body is the whole event.
 */
export function attributesBeside(
  headers: Headers,
  { foreign }: Endpoint,
): Record<string, string> | undefined {
  const prefix = foreign?.attributePrefix;
  if (prefix === undefined || headers[`${prefix}type`] === undefined) return undefined;
  const attributes = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(prefix) && value !== undefined ? [[name.slice(prefix.length), unescaped(value)]] : [],
  );
  return Object.fromEntries(attributes);
}
