/** What a user types wrong, and what kubectl says. */
export type Typed = { name: string; args: string[]; input?: string; says: RegExp };

const apply = ["apply", "-f", "-"];
const map = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n";
const pod = (container: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: { containers: [{ name: c, image: i, ${container} }] }\n`;

export const BROKEN: Typed[] = [
  {
    name: "YAML that is none",
    args: apply,
    input: "a: [",
    says: /^error: error parsing STDIN: error converting YAML to JSON: yaml: line 1: did not find expected node content$/,
  },
  {
    name: "an unknown field",
    args: apply,
    input: `${map}dat: { a: b }\n`,
    says: /^Error from server \(BadRequest\): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"$/,
  },
  {
    name: "an unknown field, --validate=strict",
    args: [...apply, "--validate=strict"],
    input: pod("comand: [ls]"),
    says: /^Error from server \(BadRequest\): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers\[0\].comand"$/,
  },
  {
    name: "an unknown field, applied by the server",
    args: [...apply, "--server-side"],
    input: `${map}dat: { a: b }\n`,
    says: /^Error from server( \(BadRequest\))?: .*(\.dat: field not declared in schema|unknown field "dat")/,
  },
  {
    name: "a wrong version",
    args: apply,
    input: map.replace("v1", "v9"),
    says: /^error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "ConfigMap" in version "v9"\nensure CRDs are installed first$/,
  },
  {
    name: "a kind that is none",
    args: apply,
    input: map.replace("ConfigMap", "ConfgMap"),
    says: /no matches for kind "ConfgMap" in version "v1"\nensure CRDs are installed first$/,
  },
  {
    name: "no kind",
    args: apply,
    input: "apiVersion: v1\nmetadata: { name: x }\n",
    says: /^error: error (validating|when).*|^error: unable to decode "STDIN": Object 'Kind' is missing in/,
  },
  {
    name: "a bad name",
    args: apply,
    input: map.replace("name: x", "name: X_Y"),
    says: /^The ConfigMap "X_Y" is invalid: metadata.name: Invalid value: "X_Y": a lowercase RFC 1123 subdomain must consist of/,
  },
  {
    name: "a bad port",
    args: apply,
    input: pod("ports: [{ containerPort: 70000 }]"),
    says: /^The Pod "x" is invalid: spec.containers\[0\].ports\[0\].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive$/,
  },
  {
    name: "a bad quantity",
    args: apply,
    input: pod("resources: { limits: { memory: lots } }"),
    says: /^Error from server \(BadRequest\): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression/,
  },
  {
    name: "a wrong type",
    args: apply,
    input: `${map}data: { a: 1 }\n`,
    says: /^Error from server \(BadRequest\): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string$/,
  },
  {
    name: "another namespace",
    args: apply,
    input: map.replace("name: x", "name: x, namespace: default"),
    says: /^error: the namespace from the provided object "default" does not match the namespace "bad"\. You must pass '--namespace=default' to perform this operation\.$/,
  },
  {
    name: "a resource that is none",
    args: ["get", "nothings"],
    says: /^error: the server doesn't have a resource type "nothings"$/,
  },
  {
    name: "an object that is not there",
    args: ["get", "configmap", "none"],
    says: /^Error from server \(NotFound\): configmaps "none" not found$/,
  },
  {
    name: "create of what is there",
    args: ["create", "configmap", "a"],
    says: /^error: failed to create configmap: configmaps "a" already exists$/,
  },
  {
    name: "a field selector",
    args: ["get", "configmap", "--field-selector", "data.k=1"],
    says: /^Error from server \(BadRequest\): Unable to find "\/v1, Resource=configmaps" that match label selector "", field selector "data.k=1": "data.k" is not a known field selector: only "metadata.name", "metadata.namespace"$/,
  },
  {
    name: "a patch that is none",
    args: ["patch", "configmap", "a", "--type=json", "-p", '[{"op":"test","path":"/data/k","value":"no"}]'],
    says: /^The request is invalid: the server rejected our request due to an error in our request$/,
  },
  {
    name: "a label",
    args: ["label", "configmap", "a", "x=-y"],
    says: /^error: invalid label value: "x=-y": a valid label must be/,
  },
  {
    name: "exec in a pod on no node",
    args: ["exec", "p", "--", "ls"],
    says: /^Error from server \(BadRequest\): pod p does not have a host assigned$/,
  },
  {
    name: "a negative scale",
    args: ["scale", "deployment", "web", "--replicas=-2"],
    says: /^error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0$|cannot be negative/,
  },
];
