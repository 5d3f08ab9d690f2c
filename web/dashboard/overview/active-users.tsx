import { useEffect, useState } from "preact/hooks";
import { getTrend } from "../access/api.ts";
import { counted } from "../parts/format.ts";
import { useGuest } from "../shared/guest.ts";

const EVERY_MS = 30_000;
const MINUTE_MS = 60_000;

async function countActive(minutes: number): Promise<number> {
  const from = new Date(Date.now() - minutes * MINUTE_MS).toISOString();
  const { series } = await getTrend({ from, measure: "users", interval: "hour" }, { quiet: true });
  return series[0]?.total ?? 0;
}

/** The users of the last minutes. Except for guests it is counted again every half minute while the page is visible. */
export function ActiveUsers({ minutes, users }: { minutes: number; users: number }) {
  const [active, setActive] = useState(users);
  const isGuest = useGuest() !== undefined;
  useEffect(() => setActive(users), [users]);
  useEffect(() => {
    if (isGuest) return;
    const count = async (): Promise<void> => {
      // A failure may be gone the next time; until then the last figure remains.
      if (!document.hidden) await countActive(minutes).then(setActive, () => undefined);
    };
    const timer = setInterval(count, EVERY_MS);
    return () => clearInterval(timer);
  }, [minutes, isGuest]);
  return (
    <p class="active">
      <strong>{counted(active, "user")}</strong> active in the last {minutes} minutes
    </p>
  );
}
