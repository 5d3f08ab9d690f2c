import type { ComponentChildren } from "preact";
import { hasKeys } from "../access/keys.ts";
import type { Problem } from "../access/problem.ts";
import type { Answer } from "../access/use-answer.ts";
import { Icon } from "./icon.tsx";

interface ProblemNoticeProps {
  readonly problem: Problem;
  readonly again?: (() => void) | undefined;
}

/** What went wrong, in the server's own words, with all its faults. */
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

/** Stands where there is nothing to show yet, and says what to do about it. */
export const EmptyNotice = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <div class="notice notice-empty">
    <h2>{title}</h2>
    {children}
  </div>
);

/** A command to copy. */
export const Command = ({ text }: { text: string }) => (
  <pre>
    <code>{text}</code>
  </pre>
);

/** A request to copy. Where this server asks for keys it has a place for one, but never a key: commands are kept in histories. */
export function Request({ path, body }: { path: string; body: object }) {
  const key = hasKeys() ? " -H 'authorization: Bearer <write key>'" : "";
  // An apostrophe would end the text that the shell takes as it is.
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return (
    <Command text={`curl ${location.origin}${path} -H 'content-type: application/json'${key} -d '${json}'`} />
  );
}

interface AnsweredProps<T> {
  readonly answer: Answer<T>;
  /** What is being fetched, as "the trend". */
  readonly what: string;
  readonly children: (value: T) => ComponentChildren;
}

/** Shows an answer, or why there is none, or that it is on its way. */
export function Answered<T>({
  answer: { value, problem, loading, again },
  what,
  children,
}: AnsweredProps<T>) {
  return (
    <div class={loading && value !== undefined ? "answered answered-stale" : "answered"} aria-busy={loading}>
      <p class="progress" role="status">
        {loading ? `Loading ${what} …` : ""}
      </p>
      {problem !== undefined && (
        // What has faults is refused again until they are mended.
        <ProblemNotice problem={problem} again={problem.status === 400 ? undefined : again} />
      )}
      {value !== undefined && children(value)}
    </div>
  );
}
