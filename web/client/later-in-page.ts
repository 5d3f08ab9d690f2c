/** Takes the place of `later.ts` in pages, where a timer keeps nothing alive. */
export const later = (act: () => void, milliseconds: number): ReturnType<typeof setTimeout> =>
  setTimeout(act, milliseconds);
