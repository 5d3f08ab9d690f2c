import { useEffect } from "preact/hooks";
import { listEvents } from "../access/api.ts";
import { hasKeys } from "../access/keys.ts";
import { Command, EmptyNotice, Request } from "../parts/notices.tsx";

const EVERY_MS = 3_000;

/** The line that tracks the views of a page. With keys it has a placeholder instead of the key. */
function pageSnippet(): string {
  const key = hasKeys() ? ' data-key="<write key>"' : "";
  return `<script defer src="${location.origin}/script.js" data-page-views${key}></script>`;
}

/** Calls `onEvent` when the first event is stored. */
function useFirstEvent(onEvent: () => void): void {
  useEffect(() => {
    const look = async (): Promise<void> => {
      if (document.hidden) return;
      const page = await listEvents({ limit: "1" }, { quiet: true }).catch(() => undefined);
      if (page !== undefined && page.items.length > 0) onEvent();
    };
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

/** The first steps, until an event arrives. */
export function WaitingForEvents({ onEvent }: { onEvent: () => void }) {
  useFirstEvent(onEvent);
  return (
    <EmptyNotice title="Waiting for the first event">
      <p role="status">This page shows your data as soon as the first event arrives.</p>
      <p>Track the views of your pages with this line in their HTML:</p>
      <Command text={pageSnippet()} />
      <p>Or send an event from a terminal:</p>
      <Request
        path="/apiv1/events"
        body={{ event_type: "button_click", user_id: "user123", properties: { page: "homepage" } }}
      />
      <p>Or stop the server, fill an empty database with ninety days of demo data, and start it again:</p>
      <Command text="npm run demo" />
    </EmptyNotice>
  );
}
