import type { ComponentChildren } from "preact";
import { inPercent } from "../access/problem.ts";
import { Faults } from "../parts/fields.tsx";
import { ProblemNotice } from "../parts/notices.tsx";
import type { useChange } from "./use-change.ts";

interface ChangeFormProps extends Pick<ReturnType<typeof useChange>, "problem" | "isSaved"> {
  readonly label: string;
  readonly button: string;
  readonly onSend: () => void;
  readonly children: ComponentChildren;
}

/** A form of one change. Each field shows its own faults. */
export function ChangeForm({ label, button, problem, isSaved, onSend, children }: ChangeFormProps) {
  const shown = problem === undefined ? undefined : inPercent(problem, ["traffic"]);
  return (
    <Faults.Provider value={shown?.faults ?? []}>
      <form
        aria-label={label}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onSend();
        }}
      >
        {children}
        <div class="actions">
          <button type="submit">{button}</button>
          <span role="status">{isSaved && "Saved."}</span>
        </div>
        {shown !== undefined && <ProblemNotice problem={shown} />}
      </form>
    </Faults.Provider>
  );
}
