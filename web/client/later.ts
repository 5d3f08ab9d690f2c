/** A timer that does not keep a Node process alive. */
export function later(act: () => void, milliseconds: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(act, milliseconds);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
