import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import { KeyDialog } from "./access/key-dialog.tsx";
import { forgetKeys, hasKeys } from "./access/keys.ts";
import { type Address, formatAddress } from "./address.ts";
import { EventsView } from "./events/events-view.tsx";
import { CalculatorView } from "./experiments/calculator-view.tsx";
import { ExperimentFormView } from "./experiments/experiment-form-view.tsx";
import { ExperimentView } from "./experiments/experiment-view.tsx";
import { ExperimentsView } from "./experiments/experiments-view.tsx";
import { OverviewView } from "./overview/overview-view.tsx";
import { UserView } from "./people/user-view.tsx";
import { QuestionsView } from "./questions/questions-view.tsx";
import { FunnelView } from "./reports/funnel-view.tsx";
import { RetentionView } from "./reports/retention-view.tsx";
import { TrendView } from "./reports/trend-view.tsx";
import { SHARED } from "./shared/share-dialog.tsx";
import { SharedView } from "./shared/shared-view.tsx";
import { linkTo, useAddress } from "./use-address.ts";
import type { ViewProps } from "./view.ts";

const VIEWS: Readonly<
  Record<string, { readonly title: string; readonly View: FunctionComponent<ViewProps> }>
> = {
  overview: { title: "Overview", View: OverviewView },
  experiments: { title: "Experiments", View: ExperimentsView },
  "sample-size": { title: "Sample size", View: CalculatorView },
  events: { title: "Events", View: EventsView },
  trend: { title: "Trend", View: TrendView },
  funnel: { title: "Funnel", View: FunnelView },
  retention: { title: "Retention", View: RetentionView },
  questions: { title: "Saved", View: QuestionsView },
};

const FIRST = "overview";
const USERS = "users";

/** Shown for a link that names no view. */
const NothingHere = () => (
  <>
    <h1>Page not found</h1>
    <p>
      The link may be outdated or mistyped. <a href={linkTo([FIRST])}>Go to the overview.</a>
    </p>
  </>
);

function pageOf({ path, query }: Address): { title: string; page: ComponentChildren } {
  const [name = FIRST, id] = path;
  if (name === "experiments" && id === "new") {
    return { title: "New experiment", page: <ExperimentFormView query={query} /> };
  }
  if (name === "experiments" && id !== undefined && /^[1-9]\d{0,14}$/.test(id)) {
    return { title: `Experiment ${id}`, page: <ExperimentView key={id} testId={Number(id)} query={query} /> };
  }
  if (name === USERS && id !== undefined) {
    return { title: `User ${id}`, page: <UserView key={id} userId={id} query={query} /> };
  }
  const found = Object.hasOwn(VIEWS, name) && id === undefined ? VIEWS[name] : undefined;
  if (found === undefined) return { title: "Page not found", page: <NothingHere /> };
  return { title: found.title, page: <found.View query={query} /> };
}

/** Shown in place of a view that failed to render. Other views, and other links to this one, still work. */
const Broken = () => (
  <>
    <h1>This view failed</h1>
    <p>
      An unexpected error occurred with this link or its data.{" "}
      <a href={linkTo([FIRST])}>Go to the overview</a>, or remove filters from the link.
    </p>
  </>
);

/** Keeps the page and its navigation working when a view fails. Another link renders it again. */
function Guarded({ link, children }: { link: string; children: ComponentChildren }): ComponentChildren {
  const [error, mend] = useErrorBoundary((defect: unknown) => reportError(defect));
  useEffect(mend, [link]);
  return error === undefined ? children : <Broken />;
}

function Navigation({ current }: { current: string }) {
  return (
    <nav aria-label="Views">
      <ul>
        {Object.entries(VIEWS).map(([name, { title }]) => (
          <li key={name}>
            <a href={linkTo([name])} aria-current={name === current ? "page" : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const ForgetKeys = () => (
  <button
    type="button"
    class="quiet"
    onClick={() => {
      forgetKeys();
      location.reload();
    }}
  >
    Forget the keys
  </button>
);

/** Moves the focus to a view that is opened by a link, as a new page would. */
function useFocusOnChange(path: string) {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    main.current?.focus();
    scrollTo(0, 0);
  }, [path]);
  return main;
}

function Dashboard({ address }: { address: Address }) {
  const { title, page } = pageOf(address);
  const main = useFocusOnChange(address.path.join("/"));
  useEffect(() => {
    document.title = `${title} – Analytics Server`;
  }, [title]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header>
        <a class="brand" href={linkTo([FIRST])}>
          <img src="/icon.svg" alt="" width="28" height="28" /> Analytics Server
        </a>
        <Navigation current={address.path[0] ?? FIRST} />
        {hasKeys() && <ForgetKeys />}
      </header>
      <main ref={main} tabIndex={-1}>
        <Guarded link={formatAddress(address)}>{page}</Guarded>
      </main>
      <KeyDialog />
    </>
  );
}

export function App() {
  const address = useAddress();
  const [name, secret = ""] = address.path;
  if (name !== SHARED) return <Dashboard address={address} />;
  return (
    <Guarded link={formatAddress(address)}>
      <SharedView key={secret} secret={secret} query={address.query} />
    </Guarded>
  );
}
