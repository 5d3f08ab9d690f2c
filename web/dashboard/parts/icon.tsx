const PATHS = {
  good: "M4 12.5l5 5L20 6.5",
  bad: "M5 5l14 14M19 5L5 19",
  open: "M5 12h.01M12 12h.01M19 12h.01",
  alarm: "M12 3L1.8 21h20.4zM12 10v5M12 18h.01",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon next to words with the same meaning. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
