/** A timer that does not keep a Node process alive. */
export function later(act: () => void, milliseconds: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(act, milliseconds);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

/** The answer, or undefined where it takes longer than this. */
export const inTime = <Value>(answer: Promise<Value>, milliseconds: number) =>
  Promise.race([answer, new Promise<void>((resolve) => later(resolve, milliseconds))]);
