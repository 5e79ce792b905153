import { describe, expect, it } from "vitest";
import type { KubeObject } from "../lib/object.ts";
import type { FieldError } from "../lib/status.ts";
import type { Kind } from "./kind.ts";
import { builtinKinds } from "./registry.ts";
import defaulted from "./testdata/defaulted.json" with { type: "json" };
import refused from "./testdata/refused.json" with { type: "json" };

/** Bodies and what kube-apiserver v1.35.4 made of them, without what admission and allocation add. */
type Refused = { name: string; object: KubeObject; old?: KubeObject; causes: FieldError[] };
type Defaulted = { name: string; object: KubeObject; stored: KubeObject };

const kinds = builtinKinds();

function kindOf(object: KubeObject): Kind {
  const kind = kinds.byKind(object.apiVersion ?? "", object.kind ?? "");
  if (!kind) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
  return kind;
}

function created(given: KubeObject): KubeObject {
  const object = structuredClone(given);
  if (kindOf(object).namespaced && object.metadata) object.metadata.namespace = "ns";
  kindOf(object).default(object);
  kindOf(object).prepareForCreate(object);
  return object;
}

function problems(object: KubeObject, old: KubeObject | undefined): FieldError[] {
  const kind = kindOf(object);
  return [...kind.validate(object), ...(old ? kind.validateUpdate(object, old, "") : kind.validateCreate(object))];
}

describe("a kind refuses, with the causes that kube-apiserver gives", () => {
  it.each(refused as Refused[])("$name", ({ object, old, causes }) => {
    expect(problems(created(object), old && created(old))).toEqual(causes);
  });
});

describe("a kind stores, with the defaults that kube-apiserver fills in", () => {
  it.each(defaulted as Defaulted[])("$name", ({ object, stored }) => {
    const made = created(object);
    expect(problems(made, undefined)).toEqual([]);
    delete made.metadata?.namespace;
    expect(made).toEqual(stored);
  });

  it.each(defaulted as Defaulted[])("$name, and the same when defaulted again", ({ object }) => {
    const once = created(object);
    const twice = structuredClone(once);
    kindOf(twice).default(twice);
    expect(twice).toEqual(once);
  });
});
