import { useEffect, useState } from "preact/hooks";
import {
  ALERT_RULES,
  ALERTS_CONFIG,
  ALERTS_NAMESPACE,
  ALERTS_STATUS,
  type Alert,
  type AlertStatus,
  readAlertStatus,
  subjectOf,
  TEST_ANNOTATION,
} from "../../worker/lib/facts/alerts.ts";
import { type Client, StatusError } from "../api/client.ts";
import type { KubeObject } from "../api/objects.ts";
import { forget, subscribe, subscribedAs, unsubscribe } from "../api/push.ts";
import { now, timestamp } from "../effects.ts";
import { deviceOf } from "../facts/device.ts";
import { count, duration } from "../facts/words.ts";
import { Action, FreshnessLine, Rows } from "../parts/parts.tsx";
import { useClient, useWatched } from "../state/cluster.ts";
import { session } from "../state/session.ts";

type ConfigMap = KubeObject & { data?: Record<string, string> };

const MAPS = `/api/v1/namespaces/${ALERTS_NAMESPACE}/configmaps`;
const OURS = `fieldSelector=${encodeURIComponent(`metadata.name=${ALERTS_STATUS}`)}`;

export function Alerts() {
  const watched = useWatched<ConfigMap>(MAPS, OURS);
  const [map] = [...watched.objects.value.values()];
  const status = readAlertStatus(map?.data);
  return (
    <>
      <h1>Alerts</h1>
      <FreshnessLine of={watched.freshness.value} />
      <Firing status={status} isListed={watched.listed.value} />
      <Receivers status={status} />
      <section aria-labelledby="rules">
        <h2 id="rules">
          Rules <small>as they are where the ConfigMap {ALERTS_CONFIG} says nothing else</small>
        </h2>
        <Rows heads={["Rule", "Fires when", "After"]}>
          {Object.entries(ALERT_RULES).map(([rule, { about, forMs }]) => (
            <tr key={rule}>
              <th scope="row">{rule}</th>
              <td>{about}</td>
              <td>{forMs === 0 ? "at once" : duration(forMs)}</td>
            </tr>
          ))}
        </Rows>
      </section>
    </>
  );
}

function Firing({ status: { alerts, more }, isListed }: { status: AlertStatus; isListed: boolean }) {
  return (
    <section aria-labelledby="firing">
      <h2 id="firing">What fires</h2>
      {isListed && alerts.length === 0 && <p class="notice good">Nothing.</p>}
      <ul class="problems">
        {alerts.map((alert) => (
          <li key={`${alert.rule} ${subjectOf(alert)}`} class={alert.severity === "error" ? "bad" : "busy"}>
            <strong>
              {alert.rule}: {subjectOf(alert)}
            </strong>
            <p>{alert.cause}</p>
            <p class="remedy">{alert.remedy}</p>
            <p class="hint">
              Since {duration(now.value - alert.firedAt)}; {toldOf(alert)}
            </p>
          </li>
        ))}
      </ul>
      {more > 0 && <p class="notice">And {count(more, "other")}.</p>}
    </section>
  );
}

function toldOf({ silenced, toldAt, resolvedAt }: Alert): string {
  if (resolvedAt !== undefined) return "it is over, which is yet to be told.";
  if (silenced) return "silenced.";
  return toldAt === undefined ? "nobody was told yet." : `last told ${duration(now.value - toldAt)} ago.`;
}

function Receivers({ status: { receivers, deliveries } }: { status: AlertStatus }) {
  const client = useClient();
  const [own, setOwn] = useState<string>();
  useEffect(() => void subscribedAs().then(setOwn, () => undefined), []);
  const isTold = receivers.some(({ name }) => name === own);
  const stop = async () => {
    await unsubscribe(client);
    setOwn(undefined);
  };
  const begin = async () => {
    const about = { user: session.value?.user ?? "", device: deviceOf(navigator.userAgent) };
    setOwn(await subscribe(client, about));
  };
  const waiting = (name: string) => deliveries.filter(({ receiver }) => receiver === name).length;
  return (
    <section aria-labelledby="receivers">
      <h2 id="receivers">Who is told</h2>
      {receivers.length === 0 && (
        <p class="hint">
          Nobody that is known here yet. Subscribe this browser, or name webhooks, ntfy and e-mail in the ConfigMap{" "}
          <code>{ALERTS_CONFIG}</code> of <code>{ALERTS_NAMESPACE}</code>.
        </p>
      )}
      {receivers.length > 0 && (
        <Rows heads={["Receiver", "Kind", "Last told", "Waiting", "Last fault", "Forget"]}>
          {receivers.map(({ name, type, user, device, sentAt, error, failedAt }) => (
            <tr key={name}>
              <th scope="row">
                {name}
                {name === own && " (this one)"}
                {(device || user) && <small>{` ${[device, user].filter(Boolean).join(", of ")}`}</small>}
              </th>
              <td>{type}</td>
              <td>{sentAt === undefined ? "never" : `${duration(now.value - sentAt)} ago`}</td>
              <td>{waiting(name)}</td>
              <td>{error ? `${error}, ${duration(now.value - (failedAt ?? 0))} ago` : "none"}</td>
              <td>
                {type === "webpush" && (
                  <Action
                    label="Forget"
                    question={`Shall ${name} be told no more?`}
                    run={() => (name === own ? stop() : forget(client, name))}
                  />
                )}
              </td>
            </tr>
          ))}
        </Rows>
      )}
      <div class="actions">
        <Action label="Send a test to all" run={() => sendTest(client, receivers.length)} />
        {isTold ? (
          <Action label="Tell this browser no more" run={stop} />
        ) : (
          <Action label="Tell this browser" run={begin} />
        )}
      </div>
    </section>
  );
}

async function sendTest(client: Client, receivers: number): Promise<void> {
  if (receivers === 0) throw new Error("There is nobody yet to send it to.");
  const annotations = { [TEST_ANNOTATION]: timestamp() };
  const contentType = "application/merge-patch+json";
  try {
    await client.json(`${MAPS}/${ALERTS_CONFIG}`, {
      method: "PATCH",
      contentType,
      body: { metadata: { annotations } },
    });
  } catch (error) {
    if (!(error instanceof StatusError && error.code === 404)) throw error;
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: ALERTS_CONFIG, annotations } };
    await client.json(MAPS, { method: "POST", body });
  }
}
