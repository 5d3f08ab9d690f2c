import { useEffect, useState } from "preact/hooks";
import { formatAddress, parseAddress } from "../address.ts";
import type { ViewProps } from "../view.ts";
import { withFixedDates } from "./ranges.ts";

/** The address of this view with the dates of today's range, and the time zone in it. */
function fixedAddress(query: URLSearchParams): string {
  const { path } = parseAddress(location.hash);
  return location.href.split("#")[0] + formatAddress({ path, query: withFixedDates(query, Date.now()) });
}

/** Copies a link that shows the same dates to everybody and later. Without access to the clipboard it shows the link. */
export function CopyLink({ query }: ViewProps) {
  const [copied, setCopied] = useState<string | undefined>();
  const [shown, setShown] = useState<string | undefined>();
  const settings = query.toString();
  useEffect(() => {
    setCopied(undefined);
    setShown(undefined);
  }, [settings]);
  const copy = async (): Promise<void> => {
    const address = fixedAddress(query);
    try {
      await navigator.clipboard.writeText(address);
      setCopied(address);
    } catch {
      setShown(address);
    }
  };
  return (
    <span class="copy-link">
      <button type="button" onClick={copy}>
        Copy link with fixed dates
      </button>
      {shown !== undefined && (
        <input
          readOnly
          aria-label="Link with fixed dates"
          value={shown}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      )}
      <span class="hint" role="status">
        {copied === undefined ? "" : "Copied."}
      </span>
    </span>
  );
}
