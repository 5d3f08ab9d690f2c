/** Acts once the time has passed. A Node process that has nothing else to do does not wait for it. */
export function later(act: () => void, milliseconds: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(act, milliseconds);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
