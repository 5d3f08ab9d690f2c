/**
 * Returns a function that makes a value at its first call and returns the same value from then on: for values that are slow
 * to make and that a server may never need.
 * @example
 * const whole = once(() => new Intl.NumberFormat("en", { maximumFractionDigits: 0 }));
 * whole().format(5120); // "5,120"
 */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
