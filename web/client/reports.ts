/** Tells the developer of a problem. The kind is the status of the server's refusal; any other problem is its own kind. */
export type Report = (problem: string, status?: number) => void;

/** Shows the first problem of each kind on the console. */
export function createReport(): Report {
  const told: Record<string, boolean> = {};
  return (problem, status) => {
    const kind = status ?? problem;
    // biome-ignore lint/suspicious/noConsole: the developer of the page is who can fix it.
    if (!told[kind]) console.warn("analytics:", problem);
    told[kind] = true;
  };
}
