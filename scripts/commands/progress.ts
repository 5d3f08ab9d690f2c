const BAR = 30;
const TENTHS = 10;

export type Progress = (done: number) => void;

const say = (text: string): void => void process.stderr.write(text);

/** A progress bar on standard error, redrawn in place. */
export function progressBar(name: string, total: number): Progress {
  let shown = "";
  return (done) => {
    const share = total === 0 ? 1 : done / total;
    const bar = "#".repeat(Math.round(share * BAR)).padEnd(BAR, ".");
    const line = `\r[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${name}`;
    if (line !== shown) say(line);
    shown = line;
    if (done >= total) say("\n");
  };
}

/** A line on standard error for each tenth, for logs, where a bar cannot be redrawn. */
export function progressLines(name: string, total: number): Progress {
  let shown = 0;
  return (done) => {
    const tenths = total === 0 ? TENTHS : Math.floor((done / total) * TENTHS);
    if (tenths > shown) say(`${tenths * TENTHS} %  ${name}\n`);
    shown = tenths;
  };
}

/** Progress for a person at a terminal, or for a log. */
export const progress = (name: string, total: number): Progress =>
  (process.stderr.isTTY ? progressBar : progressLines)(name, total);
