import { useState } from "preact/hooks";
import { exportPart, exportUrl } from "../access/api.ts";
import { hasKeys } from "../access/keys.ts";
import type { Problem } from "../access/problem.ts";
import type { Changes } from "../address.ts";
import { download } from "../parts/download.ts";
import { ProblemNotice } from "../parts/notices.tsx";

const NAME = "events.ndjson";

/** Downloads all parts in sequence: a server that cannot stream answers in parts. */
async function downloadAll(query: Changes): Promise<void> {
  const parts: Blob[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const part: Awaited<ReturnType<typeof exportPart>> = await exportPart({ ...query, cursor });
    parts.push(part.content);
    cursor = part.next;
  }
  download(new Blob(parts), NAME);
}

/** Exports the filtered events as lines of JSON. With keys it is a button: a link would put the key into logs. */
export function ExportButton({ query }: { query: Changes }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  if (!hasKeys()) {
    return (
      <a class="button" href={exportUrl(query)} download={NAME}>
        Export as JSON lines
      </a>
    );
  }
  const start = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    await downloadAll(query).catch(setProblem);
    setBusy(false);
  };
  return (
    <>
      <button type="button" disabled={busy} onClick={start}>
        {busy ? "Exporting …" : "Export as JSON lines"}
      </button>
      {problem !== undefined && <ProblemNotice problem={problem} />}
    </>
  );
}
