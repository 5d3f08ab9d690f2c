import fc from "fast-check";

// An object with such a field cannot be made a text or a number.
const methodName = fc.constantFrom(
  "toString",
  "valueOf",
  "toJSON",
  "then",
  "constructor",
  "__proto__",
  "length",
);
const deceptive = fc.dictionary(methodName, fc.jsonValue({ maxDepth: 1 }), { minKeys: 1, maxKeys: 3 });

/** Any JSON, objects whose fields have the names of methods among it. */
export const anyJson = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue() },
  deceptive,
  fc.array(deceptive, { maxLength: 2 }),
);
