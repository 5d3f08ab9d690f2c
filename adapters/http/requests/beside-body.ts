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
 * The attributes that are headers, by their names without the prefix; undefined where there are none, and the body is the
 * whole.
 */
export function attributesBeside(
  headers: Headers,
  { foreign }: Endpoint,
): Record<string, string> | undefined {
  if (foreign?.attributes === undefined) return undefined;
  const { prefix, marker } = foreign.attributes;
  if (marker !== undefined && headers[prefix + marker] === undefined) return undefined;
  const attributes = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(prefix) && value !== undefined ? [[name.slice(prefix.length), unescaped(value)]] : [],
  );
  return Object.fromEntries(attributes);
}
