import { later } from "./later.ts";

/** The answer, or undefined where it takes longer than this. */
export const inTime = <Value>(answer: Promise<Value>, milliseconds: number) =>
  new Promise<Value | undefined>((resolve: (value?: Value) => void) => {
    answer.then(resolve);
    later(resolve, milliseconds);
  });
