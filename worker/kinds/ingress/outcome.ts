/** What becomes of a request that has met a rule: it is answered at once, or led to a Service. */
import { corsHeaders, isPreflight } from "../../lib/cors.ts";
import { type Arrived, locationOf, type Pairs } from "../../lib/filters.ts";
import type { Incoming } from "./matching.ts";
import type { Route } from "./routes.ts";

export type Outcome = { answer: { status: number; headers: Pairs } } | { route: Route };

export function outcomeOf(
  route: Route,
  { method, header, host, path, query }: Incoming,
  arrived: Pick<Arrived, "isSecure" | "port">,
): Outcome {
  const { redirect, cors } = route.filters ?? {};
  if (cors && isPreflight(method, header)) return { answer: { status: 200, headers: corsHeaders(cors, header, true) } };
  if (redirect) {
    const location = locationOf(redirect, { ...arrived, host, path, query }, route.path);
    return { answer: { status: redirect.status, headers: [["location", location]] } };
  }
  if (!cors) return { route };
  const told = corsHeaders(cors, header, false);
  const [vary, set] = [told.filter(([name]) => name === "vary"), told.filter(([name]) => name !== "vary")];
  const response = [...(route.filters?.response ?? []), { set, add: vary }];
  return { route: { ...route, filters: { ...route.filters, response } } };
}
