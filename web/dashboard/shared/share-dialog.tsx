import { useState } from "preact/hooks";
import type { SharedPage } from "../../../domain/shares/shared-page.ts";
import { createShare } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";
import { formatAddress } from "../address.ts";
import { Faults, type Option, SelectField, TextField } from "../parts/fields.tsx";
import { useModal } from "../parts/focus.ts";
import { ProblemNotice } from "../parts/notices.tsx";
import { pageText } from "./pages.ts";
import { ShareList } from "./share-list.tsx";

/** The first part of a guest's link; the secret follows it. */
export const SHARED = "shared";

const DAY_MS = 86_400_000;
const NEVER = "";
const EXPIRIES: readonly Option[] = [
  { value: NEVER, label: "Until it is revoked" },
  ...["7", "30", "90"].map((days) => ({ value: days, label: `${days} days` })),
];

const expiryOf = (days: string): string | null =>
  days === NEVER ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();

/** The link of a secret. Browsers send no part of an address after # to a server, so that no log has the secret. */
const linkOf = (secret: string): string =>
  location.href.split("#")[0] + formatAddress({ path: [SHARED, secret], query: new URLSearchParams() });

/** A new link, which is shown this once. */
function NewLink({ link }: { link: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): Promise<void> => navigator.clipboard.writeText(link).then(() => setCopied(true));
  return (
    <div class="field new-link">
      <label for="share-link">The link, shown only now</label>
      <input id="share-link" readOnly value={link} onFocus={({ currentTarget }) => currentTarget.select()} />
      <button
        type="button"
        class="primary"
        onClick={() => void copy().catch(() => document.getElementById("share-link")?.focus())}
      >
        Copy the link
      </button>
      <span class="hint" role="status">
        {copied ? "Copied." : ""}
      </span>
    </div>
  );
}

const LEFT_OUT: { readonly [view in SharedPage["view"]]?: string } = {
  overview: "The lists of experiments and saved questions are left out.",
  experiment: "Its notes and annotations are left out.",
};

interface ShareDialogProps {
  readonly page: SharedPage;
  readonly onClose: () => void;
}

function ShareDialog({ page, onClose }: ShareDialogProps) {
  const [name, setName] = useState("");
  const [days, setDays] = useState(NEVER);
  const [link, setLink] = useState<string | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const dialog = useModal();
  const create = (event: Event): void => {
    event.preventDefault();
    setProblem(undefined);
    createShare({ page, name: name.trim() === "" ? null : name, expires_at: expiryOf(days) }).then(
      ({ secret }) => setLink(linkOf(secret)),
      setProblem,
    );
  };
  return (
    <dialog ref={dialog} aria-labelledby="share-title" onCancel={onClose}>
      <Faults.Provider value={problem?.faults ?? []}>
        <form onSubmit={create}>
          <h2 id="share-title">Share this page</h2>
          <p>
            {pageText(page)}. Anybody with the link can see this page and nothing else, without a key.{" "}
            {LEFT_OUT[page.view]}
          </p>
          <TextField
            label="Name of the link"
            hint="May stay empty; guests do not see it"
            path="name"
            autocomplete="off"
            value={name}
            onValue={setName}
          />
          <SelectField label="The link works" value={days} options={EXPIRIES} onValue={setDays} />
          {problem !== undefined && <ProblemNotice problem={problem} />}
          {link !== undefined && <NewLink key={link} link={link} />}
          <div class="actions">
            <button type="submit" class={link === undefined ? "primary" : undefined}>
              {link === undefined ? "Create a link" : "Create another link"}
            </button>
            <button type="button" onClick={onClose}>
              Close
            </button>
          </div>
        </form>
        <ShareList newest={link} />
      </Faults.Provider>
    </dialog>
  );
}

/** Shares what a view shows. */
export function Share({ page }: Pick<ShareDialogProps, "page">) {
  const [open, setOpen] = useState(false);
  return (
    <div class="share">
      <button type="button" onClick={() => setOpen(true)}>
        Share …
      </button>
      {open && <ShareDialog page={page} onClose={() => setOpen(false)} />}
    </div>
  );
}
