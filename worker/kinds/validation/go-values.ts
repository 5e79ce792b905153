import { unifiedDiff } from "../../lib/unified-diff.ts";
import { goStructs } from "../generated/go-structs.ts";
import type { CoreV1PodSpec, MetaV1LabelSelector } from "../generated/types.ts";
import { entries } from "./fields.ts";

/**
 * Values as messages show them: the server's own structs, whose fields are named and ordered otherwise than in JSON.
 */
/** LabelSelector is a versioned type and shows as JSON. */
export function goSelector(selector: MetaV1LabelSelector | null | undefined): unknown {
  if (!selector) return null;
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(matchLabels && Object.keys(matchLabels).length && { matchLabels }),
    ...(matchExpressions?.length && {
      matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
        key: key ?? "",
        operator: operator ?? "",
        ...(values?.length && { values }),
      })),
    }),
  };
}

type Field = {
  goName: string;
  jsonName: string;
  absent: unknown;
  isMap?: boolean;
  holds?: "value" | "pointer" | "list";
  struct?: string;
};

const absents: Readonly<Record<string, unknown>> = { s: "", b: false, i: 0, q: "0", o: {}, n: null, m: null };
const holders = { "{": "value", "*": "pointer", "[": "list" } as const;
const parsed = new Map<string, readonly Field[]>();

function fieldsOf(struct: string): readonly Field[] {
  const known = parsed.get(struct);
  if (known) return known;
  const text = goStructs[struct];
  if (text === undefined) throw new Error(`no such struct: ${struct}`);
  const fields = text.split(" ").flatMap((field): readonly Field[] => {
    const [goName = "", jsonName = "", kind = ""] = field.split(":");
    if (!goName) return fieldsOf(jsonName);
    const holds = holders[kind.charAt(0) as keyof typeof holders];
    if (!holds) return [{ goName, jsonName, absent: absents[kind] ?? null, isMap: kind === "m" }];
    return [{ goName, jsonName, absent: holds === "value" ? {} : null, holds, struct: kind.slice(1) }];
  });
  parsed.set(struct, fields);
  return fields;
}

const METADATA = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
];

/** Metadata shows as JSON, in the order of its struct. */
function metadataEntries(metadata: object): [string, unknown][] {
  const place = (name: string) => METADATA.indexOf(name) + 1 || METADATA.length + 1;
  return Object.entries(metadata).sort(([a], [b]) => place(a) - place(b));
}

/** `value`, which is JSON, as the struct (`core.Container`) shows it. */
export function goValue(struct: string, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  const json = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    fieldsOf(struct).flatMap(({ goName, jsonName, absent, isMap, holds, struct: inner }): [string, unknown][] => {
      if (!jsonName) return goName === "ObjectMeta" ? metadataEntries((json.metadata ?? {}) as object) : [];
      const given = json[jsonName] ?? absent;
      if (isMap && given !== null) return [[goName, Object.fromEntries(entries(given as Record<string, unknown>))]];
      if (!inner || given === null) return [[goName, given]];
      const shown = (one: unknown) => goValue(inner, one);
      return [[goName, holds === "list" ? (given as unknown[]).map(shown) : shown(given)]];
    }),
  );
}

export function goPodSpec(spec: CoreV1PodSpec): unknown {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, securityContext, ...rest } = spec;
  const shared = { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  return goValue("core.PodSpec", {
    ...rest,
    ...(securityContext && { securityContext: { ...securityContext, ...shared } }),
  });
}

/** What changed between two values, as messages show it. */
export const goDiff = (before: unknown, after: unknown): string =>
  unifiedDiff(JSON.stringify(before, null, 1), JSON.stringify(after, null, 1));

/** The key by which two ports of a Service clash. */
export const goServicePort = (protocol: string | undefined, port: number): Record<string, unknown> => ({
  Name: "",
  Protocol: protocol ?? "",
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
});
