import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { oneOf } from "../parts/format.ts";
import { dashOf, FAINT_DASH, readPalette, toneOf } from "./palette.ts";
import type { Line, TimePlotData } from "./time-plot-data.ts";
import { timePlotOptions } from "./time-plot-options.ts";

const HEIGHT = 280;

interface TimePlotProps {
  /** The same object while nothing changes: a new one is drawn again. */
  readonly data: TimePlotData;
  /** A description of the plot in words. */
  readonly label: string;
  /** The unit of the values, shown above the plot. */
  readonly unit: string;
  /** The name of an interval, as "Day". */
  readonly step: string;
  /** The dates of the period before, where its lines are drawn too. */
  readonly before?: string | undefined;
  /** The values at one of the times, in words. */
  readonly describe: (index: number) => string;
}

const THEMES = ["(prefers-color-scheme: dark)", "(forced-colors: active)"];

/** Changes when the user or the system switches between light, dark and forced colours. */
function useTheme(): string {
  const queries = useMemo(() => THEMES.map((theme) => matchMedia(theme)), []);
  const inForce = (): string => queries.map(({ matches }) => matches).join();
  const [theme, setTheme] = useState(inForce);
  useEffect(() => {
    const follow = (): void => setTheme(inForce);
    for (const query of queries) query.addEventListener("change", follow);
    return () => {
      for (const query of queries) query.removeEventListener("change", follow);
    };
  }, [queries]);
  return theme;
}

const Sample = ({ tone, dash, faint }: { tone: number; dash: readonly number[]; faint?: boolean }) => (
  <svg width="34" height="12" aria-hidden="true">
    <line
      class={`tone-${tone} ${faint ? "faint" : ""}`}
      x1="0"
      x2="34"
      y1="6"
      y2="6"
      stroke-dasharray={dash.join(" ")}
    />
  </svg>
);

const Legend = ({ lines, before }: { lines: readonly Line[]; before: string }) => (
  <ul class="legend">
    {lines.map(({ label }, index) => (
      <li key={label}>
        <Sample tone={toneOf(index)} dash={dashOf(index)} />
        {label}
      </li>
    ))}
    {before !== "" && (
      <li>
        <Sample tone={0} dash={FAINT_DASH} faint />
        {`the period before, ${before}`}
      </li>
    )}
  </ul>
);

/** The canvas. It is redrawn for other data or another theme, and resized with the page. */
function useCanvas(data: TimePlotData, onPoint: (index: number) => void) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const theme = useTheme();
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const size = () => ({ width: element.clientWidth, height: HEIGHT });
    const { options, values } = timePlotOptions(data, { ...size(), palette: readPalette(), onPoint });
    const drawn = new uPlot(options, values, element);
    plot.current = drawn;
    const watch = new ResizeObserver(() => drawn.setSize(size()));
    watch.observe(element);
    return () => {
      watch.disconnect();
      drawn.destroy();
    };
  }, [data, theme]);
  return { place, plot };
}

/** Lines over time. The slider below reads values for keyboard, touch and screen readers, as hovering does for a mouse. */
export function TimePlot({ data, label, unit, step, before = "", describe }: TimePlotProps) {
  const last = data.times.length - 1;
  const [index, setIndex] = useState(last);
  const shown = Math.min(Math.max(index, 0), last);
  const { place, plot } = useCanvas(data, setIndex);
  const point = (at: number): void => {
    setIndex(at);
    const left = plot.current?.valToPos((data.times[at] ?? 0) / 1000, "x") ?? -1;
    plot.current?.setCursor({ left, top: 0 }, false);
  };
  return (
    <figure class="time-plot">
      <figcaption>{unit}</figcaption>
      <div ref={place} class="canvas" role="img" aria-label={label} />
      <p class="axis-note">
        <span>
          {step}s in the time zone {data.zone}
        </span>
      </p>
      <Legend lines={data.lines} before={before} />
      <label class="reader">
        <span>Read {oneOf(step.toLowerCase())}</span>
        <input
          type="range"
          min="0"
          max={last}
          value={shown}
          aria-valuetext={describe(shown)}
          onInput={({ currentTarget }) => point(Number(currentTarget.value))}
        />
      </label>
      <p class="reading">{describe(shown)}</p>
    </figure>
  );
}
