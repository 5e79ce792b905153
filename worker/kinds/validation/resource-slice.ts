import { byteLength } from "../../lib/bytes.ts";
import { dnsSubdomainProblems } from "../../lib/names.ts";
import { invalidValue, required, tooLong } from "../../lib/status.ts";
import type {
  ResourceV1Device,
  ResourceV1DeviceAttribute,
  ResourceV1ResourceSlice,
  ResourceV1ResourceSliceSpec,
} from "../generated/types.ts";
import { validateDeviceName, validatePoolName, validateQualifiedName, validateSet } from "./devices.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";
import { goValue } from "./go-values.ts";
import { validateNodeSelector } from "./scheduling.ts";
import { validateDriverName } from "./volume-disks.ts";

const MAX_DEVICES = 128;
const MAX_PROPERTIES = 32;
const MAX_VALUE_BYTES = 64;
const IMMUTABLE = "field is immutable";
const ONE_PLACE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

const NUMBER = String.raw`(0|[1-9]\d*)`;
const PRERELEASE = String.raw`(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const BUILD = "[0-9a-zA-Z-]+";
const isVersion = new RegExp(
  String.raw`^${NUMBER}\.${NUMBER}\.${NUMBER}(-${PRERELEASE}(\.${PRERELEASE})*)?(\+${BUILD}(\.${BUILD})*)?$`,
);

export function* validateSlice(slice: ResourceV1ResourceSlice, old?: ResourceV1ResourceSlice): Problems {
  const { spec } = slice;
  const { driver, pool, devices } = spec;
  yield* validateDriverName(driver, "spec.driver");
  yield* validatePoolName(pool.name, "spec.pool.name");
  const { resourceSliceCount: count = 0, generation = 0 } = pool;
  if (count <= 0) yield invalidValue("spec.pool.resourceSliceCount", count, "must be greater than zero");
  if (generation < 0) yield invalidValue("spec.pool.generation", generation, "must be greater than or equal to zero");
  if (old) {
    if (pool.name !== old.spec.pool.name) yield invalidValue("spec.pool.name", pool.name, IMMUTABLE);
    if (driver !== old.spec.driver) yield invalidValue("spec.driver", driver, IMMUTABLE);
    if (spec.nodeName !== old.spec.nodeName) yield invalidValue("spec.nodeName", spec.nodeName, IMMUTABLE);
  }
  yield* validatePlace(spec);
  yield* validateSet(devices, MAX_DEVICES, "spec.devices", { check: validateDevice, key: ({ name }) => name });
}

function* validatePlace({ nodeName, nodeSelector, allNodes }: ResourceV1ResourceSliceSpec): Problems {
  if (nodeName) yield* invalidFor("spec.nodeName", nodeName, dnsSubdomainProblems(nodeName));
  if (nodeName === "")
    yield invalidValue("spec.nodeName", nodeName, "must be either unset or set to a non-empty string");
  if (nodeSelector) {
    yield* validateNodeSelector(nodeSelector, "spec.nodeSelector");
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1)
      yield invalidValue(
        "spec.nodeSelector.nodeSelectorTerms",
        terms.length ? terms.map((term) => goValue("core.NodeSelectorTerm", term)) : null,
        "must have exactly one node selector term",
      );
  }
  if (allNodes === false) yield invalidValue("spec.allNodes", allNodes, "must be either unset or set to true");
  const given = [nodeName && "`nodeName`", nodeSelector && "`nodeSelector`", allNodes && "`allNodes`"].filter(Boolean);
  if (!given.length) yield required("spec", ONE_PLACE);
  else if (given.length > 1)
    yield invalidValue("spec", `{${given.join(", ")}}`, `${ONE_PLACE}, but multiple fields are set`);
}

function* validateDevice({ name, attributes, capacity }: ResourceV1Device, field: string): Problems {
  yield* validateDeviceName(name, `${field}.name`);
  const properties = [attributes, capacity].flatMap((map) => Object.keys(map ?? {})).length;
  if (properties > MAX_PROPERTIES)
    yield invalidValue(
      field,
      properties,
      `the total number of attributes and capacities must not exceed ${MAX_PROPERTIES}`,
    );
  for (const [key, attribute] of entries(attributes)) {
    const at = `${field}.attributes[${shorten(key)}]`;
    yield* validateQualifiedName(key, at);
    yield* validateAttribute(attribute, at);
  }
  for (const [key] of entries(capacity)) yield* validateQualifiedName(key, `${field}.capacity[${shorten(key)}]`);
}

function* validateAttribute(attribute: ResourceV1DeviceAttribute, field: string): Problems {
  const { string: text, version } = attribute;
  if (text !== undefined && byteLength(text) > MAX_VALUE_BYTES) yield tooLong(`${field}.string`, MAX_VALUE_BYTES);
  if (version !== undefined) {
    if (!isVersion.test(version))
      yield invalidValue(`${field}.version`, version, "must be a string compatible with semver.org spec 2.0.0");
    if (byteLength(version) > MAX_VALUE_BYTES) yield tooLong(`${field}.version`, MAX_VALUE_BYTES);
  }
  const given = [attribute.bool, attribute.int, text, version].filter((value) => value !== undefined).length;
  const shown = given ? goValue("resource.DeviceAttribute", attribute) : "";
  if (given !== 1) yield invalidValue(field, shown, "exactly one value must be specified");
}

/** A key too long for a domain and a name loses its middle. */
const MAX_KEY_LENGTH = 63 + 1 + 32;
function shorten(key: string): string {
  if (key.length <= MAX_KEY_LENGTH) return key;
  const rest = MAX_KEY_LENGTH - "...".length;
  return `${key.slice(0, (rest + 1) >> 1)}...${key.slice(key.length - (rest >> 1))}`;
}

export function* sliceWarnings({ spec }: ResourceV1ResourceSlice): Iterable<string> {
  const { driver } = spec;
  if (driver !== driver.toLowerCase())
    yield `spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`;
}
