/** What is asked for now, and by whom it is answered. */
import type { EndpointSlice, Service } from "../api/objects.ts";
import type { RequestsNow, RequestsOf } from "../api/requests.ts";
import { endpointsOf } from "../facts/network.ts";
import { failedWords, latencyWords, rateWords, requestsOf } from "../facts/requests.ts";
import { href } from "../state/route.ts";
import { Badge, Rows } from "./parts.tsx";

export const REQUEST_HEADS = ["Requests/s", "Failed", "Latency (half, 99 %)"] as const;

/** Under these heads; empty where nothing is known. */
export const RequestCells = ({ of }: { of: RequestsOf | undefined }) => (
  <>
    <td>{of && rateWords(of)}</td>
    <td>{of && failedWords(of)}</td>
    <td>{of && latencyWords(of)}</td>
  </>
);

/** Nothing where nothing is told. */
export function RequestsLine({ now, of }: { now: RequestsNow; of: RequestsOf | undefined }) {
  const { silent } = now;
  if (!of && silent === 0) return null;
  const [failed, latency] = [of && failedWords(of), of && latencyWords(of)];
  const [half, most] = latency?.split(", ") ?? [];
  return (
    <>
      {of && (
        <p>
          {`Requests by Ingresses and routes: ${rateWords(of)} a second.`}
          {failed && ` ${failed} failed; half of the answers began within ${half}, 99 % within ${most}.`}
        </p>
      )}
      {silent > 0 && (
        <p class="hint">{`There may be more: ${silent === 1 ? "a node does" : `${silent} nodes do`} not tell.`}</p>
      )}
    </>
  );
}

/** Pods of a Service, and what each is asked for. */
export function Answering({
  service,
  slices,
  now,
}: {
  service: Service;
  slices: readonly EndpointSlice[];
  now: RequestsNow;
}) {
  const endpoints = endpointsOf(service, slices);
  if (endpoints.length === 0) return <p class="hint">None: no pod that it selects has an address.</p>;
  const { namespace = "" } = service.metadata;
  return (
    <Rows heads={["Pod", "Address", "Node", "Answers", ...REQUEST_HEADS]}>
      {endpoints.map(({ name, pod, address, node, ready }) => (
        <tr key={name}>
          <th scope="row">{pod ? <a href={href("pods", namespace, pod)}>{pod}</a> : name}</th>
          <td>{address}</td>
          <td>{node}</td>
          <td>{ready ? <Badge mood="good">Ready</Badge> : <Badge mood="bad">Not ready</Badge>}</td>
          <RequestCells of={pod === undefined ? undefined : requestsOf(now, "pods", `${namespace}/${pod}`)} />
        </tr>
      ))}
    </Rows>
  );
}
