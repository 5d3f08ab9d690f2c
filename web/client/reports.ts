/** Tells the developer of a problem. The kind is the status of the server's refusal; any other problem is its own kind. */
export type Report = (problem: string, status?: number) => void;

/** Shows the first problem of each kind on the console. */
export function createReport(): Report {
  const told: Record<string, boolean> = {};
  const show = (problem: string): boolean => {
    // biome-ignore lint/suspicious/noConsole: only the developer of the page can fix it.
    console.warn("analytics:", problem);
    return true;
  };
  return (problem, status) => {
    told[status ?? problem] ??= show(problem);
  };
}
