/** The page of a cluster: a client of its Kubernetes API, with the permissions of who logged in and no others. */
import { render } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { errorText } from "../worker/lib/error-text.ts";
import { online } from "./effects.ts";
import { isWorkloadKind, WORKLOADS } from "./facts/workloads.ts";
import { NamespaceChooser } from "./parts/namespaces.tsx";
import { forgetDrafts } from "./state/drafts.ts";
import { comeBack } from "./state/elsewhere.ts";
import { href, route } from "./state/route.ts";
import { BASE, farewell, logOut, resume, session } from "./state/session.ts";
import { Alerts } from "./views/alerts.tsx";
import { AnyKind } from "./views/any.tsx";
import { KeptLogs, KeptLogView } from "./views/kept.tsx";
import { Login } from "./views/login.tsx";
import { Network, ServiceView } from "./views/network.tsx";
import { ObjectView } from "./views/object.tsx";
import { Overview } from "./views/overview.tsx";
import { People } from "./views/people.tsx";
import { PodView } from "./views/pod.tsx";
import { RouteView, routingOf } from "./views/routes.tsx";
import { WorkloadView } from "./views/workload.tsx";
import { Workloads } from "./views/workloads.tsx";

/** The views by the first letters that `g` and one of them go to, as k9s and many sites have it. */
const PLACES = [
  { name: "Overview", key: "o", parts: [] },
  { name: "Workloads", key: "w", parts: ["workloads"] },
  { name: "Alerts", key: "a", parts: ["alerts"] },
  { name: "Network", key: "n", parts: ["network"] },
  { name: "People", key: "p", parts: ["people"] },
  { name: "Everything", key: "e", parts: ["any"] },
] as const;

const CLUSTER = BASE.split("/").at(-1) || "default";

function View() {
  const [first, ...rest] = route.value;
  const [a = "", b = "", c = "", d = "", e = ""] = rest;
  switch (first) {
    case undefined:
      return <Overview />;
    case "alerts":
      return <Alerts />;
    case "workloads": {
      const kind = Object.entries(WORKLOADS).find(([, plural]) => plural === a)?.[0] ?? "";
      return isWorkloadKind(kind) ? (
        <WorkloadView key={rest.join("/")} kind={kind} namespace={b} name={c} />
      ) : (
        <Workloads />
      );
    }
    case "pods":
      return <PodView key={rest.join("/")} namespace={a} name={b} />;
    case "kept":
      return b ? <KeptLogView key={rest.join("/")} namespace={a} pod={b} uid={c} container={d} /> : <KeptLogs />;
    case "network": {
      const routing = c ? routingOf(a) : undefined;
      if (routing) return <RouteView key={rest.join("/")} of={routing} namespace={b} name={c} />;
      return b ? <ServiceView key={rest.join("/")} namespace={a} name={b} /> : <Network />;
    }
    case "people":
      return <People />;
    case "any":
      return e ? (
        <ObjectView key={rest.join("/")} group={a} version={b} plural={c} namespace={d || undefined} name={e} />
      ) : (
        <AnyKind group={a} version={b} plural={c} />
      );
    default:
      return <p class="notice">There is no such place here.</p>;
  }
}

function Shell({ user }: { user: string }) {
  useLayoutEffect(() => {
    let last = "";
    const press = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLElement && event.target.matches("input, textarea, select")) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const place = last === "g" ? PLACES.find(({ key }) => key === event.key) : undefined;
      if (place) location.hash = href(...place.parts);
      last = event.key;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  // Whoever goes to another place by keys, or hears the page, is to be there.
  const place = route.value.join("/");
  const wasAt = useRef(place);
  useEffect(() => {
    document.title = `${place || "overview"} – ${CLUSTER} – Skerry`;
    if (wasAt.current !== place) document.getElementById("main")?.focus();
    wasAt.current = place;
  }, [place]);
  const here = ["pods", "kept"].includes(route.value[0] ?? "") ? "workloads" : route.value[0];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <header>
        <strong>{CLUSTER}</strong>
        <nav aria-label="Places">
          {PLACES.map(({ name, key, parts }) => (
            <a
              key={name}
              href={href(...parts)}
              title={`g ${key}`}
              aria-current={here === parts[0] ? "page" : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <NamespaceChooser />
        <span class="user">{user}</span>
        <button
          type="button"
          onClick={() => {
            forgetDrafts();
            logOut();
          }}
        >
          Log out
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <View />
      </main>
    </>
  );
}

const App = () => (
  <>
    {!online.value && (
      <p class="notice bad" role="status">
        This device is offline: the cluster cannot be reached, and what is shown is as it was.
      </p>
    )}
    {session.value ? <Shell user={session.value.user} /> : <Login />}
  </>
);

// Where the browser takes none, as with a certificate that it does not trust, the page is as good but for what it does.
void navigator.serviceWorker?.register("service-worker.js").catch(() => undefined);

async function begin(): Promise<void> {
  if (!(await comeBack())) await resume();
}

await begin().catch((why: unknown) => {
  farewell.value = errorText(why);
});
render(<App />, document.body);
