/** Dash patterns that distinguish lines without colour. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [9, 4],
  [2, 3],
  [10, 3, 2, 3],
  [5, 2],
  [14, 4],
  [2, 6],
  [10, 3, 2, 3, 2, 3],
];

/** The dashes and the opacity of the period before, in the colour of its line. */
export const FAINT_DASH: readonly number[] = [3, 3];
export const FAINT = 0.6;

export const toneOf = (index: number): number => index % DASHES.length;
export const dashOf = (index: number): readonly number[] => DASHES[toneOf(index)] ?? [];

/** The colours of the style sheet for the current theme, and the size of small text in pixels, to draw on a canvas. */
export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink-soft"),
    rule: read("--rule"),
    zero: read("--ink"),
    paper: read("--paper"),
    band: read("--band"),
    // A canvas does not follow the font of the browser by itself.
    fontSize: 0.8125 * Number.parseFloat(style.fontSize),
    tones: DASHES.map((_, index) => read(`--tone-${index}`)),
  };
}
export type Palette = ReturnType<typeof readPalette>;
