/** Selectors, limits and revisions that are none. */
import { badRequest, CONFIG_MAPS, invalid, PODS, type Row, refused } from "./row.ts";

const field = (text: string) => `GET ${PODS}?fieldSelector=${encodeURIComponent(text)}`;
const label = (text: string) => `GET ${PODS}?labelSelector=${encodeURIComponent(text)}`;
const query = (text: string) => `GET ${CONFIG_MAPS}?${text}`;
const manyValues = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`).join();
export const queries: Row[] = [
  {
    name: "label selector: an operator alone",
    ask: label("=x"),
    ...badRequest("found '=', expected: !, identifier, or 'end of string'"),
  },
  {
    name: "label selector: a set that does not close",
    ask: label("a in (b"),
    ...badRequest(/^unable to parse requirement: found '', expected: ',' or '\)'/),
  },
  {
    name: "label selector: a key that is none",
    ask: label("a b=c"),
    ...badRequest(/^(unable to parse requirement: )?found 'b', expected: in, notin, =, ==, !=, gt, lt/),
  },
  {
    name: "label selector: a value that is none",
    ask: label("a=-b"),
    ...badRequest(/^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label must be/),
  },
  {
    name: "label selector: the last of 8,000 values",
    ask: label(`a in (${manyValues(8000)},-bad)`),
    ...badRequest(/^unable to parse requirement: values\[\d+\]\[a\]: Invalid value: "-bad": a valid label must be/),
  },
  {
    name: "label selector: longer than a URL may be",
    ask: label(`a in (${manyValues(20_000)})`),
    ...refused(414, "", "URI too long"),
  },
  {
    name: "label selector: longer than the head of a request may be",
    ask: label(`a in (${manyValues(100_000)})`),
    ...refused(431, "", "message head is too large"),
  },
  {
    name: "field selector: no operator",
    ask: field("metadata.name"),
    ...badRequest("invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
  },
  {
    name: "field selector: of a pod's unknown field",
    ask: field("spec.containers=x"),
    ...badRequest("field label not supported: spec.containers"),
  },
  {
    name: "field selector: of a ConfigMap's data",
    ask: query("fieldSelector=data.k%3D1"),
    ...badRequest('"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"'),
  },
  {
    name: "field selector: inherited by objects",
    ask: field("constructor=x"),
    ...badRequest("field label not supported: constructor"),
  },
  { name: "limit: text", ask: query("limit=many"), ...badRequest(/strconv.ParseInt: parsing "many": invalid syntax/) },
  {
    name: "limit: past 64 bits",
    ask: query("limit=9999999999999999999999"),
    ...badRequest(/strconv.ParseInt: parsing "9999999999999999999999": value out of range/),
  },
  {
    name: "timeoutSeconds: text",
    ask: query("watch=true&timeoutSeconds=soon"),
    ...badRequest(/strconv.ParseInt: parsing "soon": invalid syntax/),
  },
  {
    name: "continue: nonsense",
    ask: query("limit=1&continue=nonsense"),
    ...badRequest(/^invalid continue token: continue key is not valid: /),
  },
  {
    name: "continue: with a resourceVersion",
    ask: query(
      "limit=1&resourceVersion=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJiYWRcdTAwMDBhIn0",
    ),
    ...badRequest("specifying resource version is not allowed when using continue"),
  },
  {
    name: "resourceVersion: text",
    ask: query("resourceVersion=abc"),
    ...badRequest(/resourceVersion: Invalid value: "abc": /),
  },
  {
    name: "resourceVersion: in the future",
    ask: query("resourceVersion=9000000000000"),
    ...refused(504, "Timeout", /^Timeout: Too large resource version: 9000000000000, current: \d+$/),
  },
  {
    name: "resourceVersion of a watch: text",
    ask: query("watch=true&resourceVersion=abc&timeoutSeconds=1"),
    ...refused(500, "", 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'),
  },
  {
    name: "resourceVersionMatch alone",
    ask: query("resourceVersionMatch=Exact"),
    ...invalid(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ),
  },
  {
    name: "resourceVersionMatch: unknown",
    ask: query("resourceVersion=1&resourceVersionMatch=Roughly"),
    ...invalid(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Roughly": supported values: "Exact", "NotOlderThan", ""',
    ),
  },
  {
    name: "sendInitialEvents without match",
    ask: query("watch=true&sendInitialEvents=true&timeoutSeconds=1"),
    ...invalid(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ),
  },
];
