/**
 * Structure of a value: the one form in which built-in kinds and custom resources describe their fields.
 * Built from the official OpenAPI documents by `generate.ts`, or from a CustomResourceDefinition at run time.
 * Sources: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy and
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export type Schema = {
  /** `any` keeps everything below it untouched (RawExtension, JSON, FieldsV1, preserve-unknown-fields). */
  type: "object" | "map" | "list" | "string" | "integer" | "number" | "boolean" | "any";
  /**
   * string: `byte` (base64), `date-time`, `micro-time`, `duration`, `quantity` (a number is accepted and kept as its
   * string), `int-or-string` (either). integer: `int32`, `int64`.
   */
  format?: string;
  /** Properties of an `object`. A getter may resolve a reference late, so recursive schemas work. */
  readonly fields?: Readonly<Record<string, Schema>>;
  /** Values of a `map`, items of a `list`. */
  readonly items?: Schema;
  required?: readonly string[];
  enum?: readonly unknown[];
  default?: unknown;
  /** What is written when nothing was set: Go's zero value of a field held by value (`{}`, `""`, `0`, `null`). */
  zero?: unknown;
  /** An empty value (`0`, `false`, `""`, an empty list) is kept; elsewhere it counts as absent. Built-in kinds only. */
  pointer?: boolean;
  /** What a decoding error calls this field's type, where it is not plain (`v1.PullPolicy`). */
  goType?: string;
  /** `x-kubernetes-list-type`; absent means atomic. */
  listType?: "atomic" | "set" | "map";
  listKeys?: readonly string[];
  /** `x-kubernetes-map-type: atomic`, on objects and maps; false (`granular`) where a field undoes its definition. */
  atomic?: boolean;
  /** Strategic merge: `x-kubernetes-patch-strategy` (comma list: merge, replace, retainKeys) and merge key. */
  patchStrategy?: string;
  patchMergeKey?: string;
  nullable?: boolean;
  /** An `object` that keeps fields it does not name (`x-kubernetes-preserve-unknown-fields`). */
  preserveUnknown?: boolean;
  /** `x-kubernetes-embedded-resource`. */
  embedded?: boolean;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  /** Only in custom resources, as are those below. `minimum` and `maximum` then exclude their own value. */
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  /** Value validations without structure: their `type` may be `any`. */
  allOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  not?: Schema;
  /** Only of custom resources: `x-kubernetes-validations`. */
  rules?: readonly {
    rule: string;
    message?: string;
    messageExpression?: string;
    reason?: string;
    fieldPath?: string;
    optionalOldSelf?: boolean;
  }[];
  description?: string;
  /** The definition this came from (`io.k8s.api.core.v1.Container`), for OpenAPI and messages. */
  name?: string;
};
