import { useRef, useState } from "preact/hooks";
import type { ShareReply } from "../../../domain/shares/share-link.ts";
import { deleteShare, listShares } from "../access/api.ts";
import type { Problem } from "../access/problem.ts";
import { useAnswer } from "../access/use-answer.ts";
import { isolated, moment } from "../parts/format.ts";
import { Answered, ProblemNotice } from "../parts/notices.tsx";
import { projectZone } from "../zone.ts";
import { pageText } from "./pages.ts";

const MOST = "200";

function timesOf({ created_at, expires_at }: ShareReply): string {
  const zone = projectZone();
  const created = `created ${moment(created_at, zone)}`;
  if (expires_at === null) return created;
  const isOver = Date.parse(expires_at) <= Date.now();
  return `${created}, ${isOver ? "expired" : "expires"} ${moment(expires_at, zone)}`;
}

interface ItemProps {
  readonly share: ShareReply;
  readonly onRevoke: () => void;
}

function Item({ share, onRevoke }: ItemProps) {
  const { name, page } = share;
  const title = name === null ? pageText(page) : `${isolated(name)}: ${pageText(page)}`;
  return (
    <li>
      <span>
        {title}
        <small class="hint">{timesOf(share)}</small>
      </span>
      <button type="button" class="danger" aria-label={`Revoke ${title}`} onClick={onRevoke}>
        Revoke
      </button>
    </li>
  );
}

/** All links of this server, to be revoked. The list is loaded again when there is a newer one. */
export function ShareList({ newest }: { newest: string | undefined }) {
  const answer = useAnswer(`shares ${newest}`, (signal) => listShares({ limit: MOST }, signal));
  const [revoked, setRevoked] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const title = useRef<HTMLHeadingElement>(null);
  const revoke = (share: ShareReply): void => {
    deleteShare(share.share_id).then(() => {
      setRevoked(true);
      // Its button, which has the focus, is removed with it.
      title.current?.focus();
      answer.again();
    }, setProblem);
  };
  return (
    <section aria-labelledby="links-title">
      <h3 id="links-title" ref={title} tabIndex={-1}>
        Links to pages of this server
      </h3>
      <p class="hint" role="status">
        {revoked ? "Revoked. The link no longer works." : ""}
      </p>
      {problem !== undefined && <ProblemNotice problem={problem} />}
      <Answered answer={answer} what="the links">
        {({ shares, next_cursor }) => (
          <>
            {shares.length === 0 && <p>There are none.</p>}
            <ul class="shares">
              {shares.map((share) => (
                <Item key={share.share_id} share={share} onRevoke={() => revoke(share)} />
              ))}
            </ul>
            {next_cursor !== null && <p class="hint">These are the newest {MOST}; the API lists all.</p>}
          </>
        )}
      </Answered>
    </section>
  );
}
