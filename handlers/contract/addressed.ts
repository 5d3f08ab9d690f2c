type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): unknown =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : value;

/** The conditions of a query: `{"price":{"gte":10}}` is `where[price][gte]=10` in an address. */
const conditionsOf = (where: object): Json =>
  Object.fromEntries(
    Object.entries(where).flatMap(([name, value]) =>
      isObject(value)
        ? Object.entries(value).map(([operator, operand]) => [`${name}][${operator}`, textOf(operand)])
        : [[name, textOf(value)]],
    ),
  );

/** A JSON value as an address would have it, which is what the schemas of paths and queries read. */
export function asInAddress(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(textOf);
  return isObject(value) ? conditionsOf(value) : textOf(value);
}
