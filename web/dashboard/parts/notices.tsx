import type { ComponentChildren } from "preact";
import { hasKeys } from "../access/keys.ts";
import type { Problem } from "../access/problem.ts";
import type { Answer } from "../access/use-answer.ts";
import { useGuest } from "../shared/guest.ts";
import { Icon } from "./icon.tsx";

interface ProblemNoticeProps {
  readonly problem: Problem;
  readonly again?: (() => void) | undefined;
}

/** The server's message about a failed request, with all faults. */
export const ProblemNotice = ({ problem, again }: ProblemNoticeProps) => (
  <div class="notice notice-problem" role="alert">
    <p>
      <Icon name="alarm" /> {problem.message}
    </p>
    {problem.faults.length > 0 && (
      <ul>
        {problem.faults.map(({ path, message }) => (
          <li key={path + message}>
            {path === "" ? "The request" : <code>{path}</code>} {message}
          </li>
        ))}
      </ul>
    )}
    {again !== undefined && (
      <button type="button" onClick={again}>
        Try again
      </button>
    )}
  </div>
);

/** Shown in place of missing data, with advice, which guests cannot follow. */
export function EmptyNotice({ title, children }: { title: string; children: ComponentChildren }) {
  const guest = useGuest();
  return (
    <div class="notice notice-empty">
      <h2>{title}</h2>
      {guest === undefined && children}
    </div>
  );
}

/** A command to copy. */
export const Command = ({ text }: { text: string }) => (
  <pre>
    <code>{text}</code>
  </pre>
);

/** A request to copy. With keys it has a placeholder instead of the key: shells keep commands in their history. */
export function Request({ path, body }: { path: string; body: object }) {
  const key = hasKeys() ? " -H 'authorization: Bearer <write key>'" : "";
  // An apostrophe would end the quoted text of the shell.
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return (
    <Command text={`curl ${location.origin}${path} -H 'content-type: application/json'${key} -d '${json}'`} />
  );
}

interface AnsweredProps<T> {
  readonly answer: Answer<T>;
  /** The name of the data, as "the trend". */
  readonly what: string;
  readonly children: (value: T) => ComponentChildren;
}

/** Shows an answer, the reason of a failure, or that it is loading. */
export function Answered<T>({
  answer: { value, problem, loading, again },
  what,
  children,
}: AnsweredProps<T>) {
  return (
    <div class={loading && value !== undefined ? "answered answered-stale" : "answered"} aria-busy={loading}>
      <p class={loading ? "progress" : "unseen"} role="status">
        {loading ? `Loading ${what} …` : value === undefined ? "" : `Loaded ${what}.`}
      </p>
      {problem !== undefined && (
        // A request with faults would be refused again.
        <ProblemNotice problem={problem} again={problem.status === 400 ? undefined : again} />
      )}
      {value !== undefined && children(value)}
    </div>
  );
}
