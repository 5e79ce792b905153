import { dnsSubdomainProblems } from "../../lib/names.ts";
import { invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  ResourceV1DeviceRequest,
  ResourceV1DeviceSubRequest,
  ResourceV1ExactDeviceRequest,
  ResourceV1ResourceClaim,
  ResourceV1ResourceClaimSpec,
  ResourceV1ResourceClaimTemplate,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { validateTemplateMetadata } from "./claims.ts";
import {
  MAX_CONFIGS,
  validateConfiguration,
  validateDeviceName,
  validateFullName,
  validateList,
  validateSelectors,
  validateSet,
} from "./devices.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { goValue } from "./go-values.ts";

const MAX_REQUESTS = 32;
const MAX_ALTERNATIVES = 8;
const MAX_CONSTRAINTS = 32;
const MODES = ["All", "ExactCount"];
const ONE_FORM = "exactly one of `exactly` or `firstAvailable` is required";
const NOT_A_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
const IMMUTABLE = "field is immutable";

/** Each request's name, and those of its alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export const requestNames = (spec: ResourceV1ResourceClaimSpec | undefined): RequestNames =>
  new Map(
    (spec?.devices?.requests ?? []).map(({ name, firstAvailable = [] }) => [
      name,
      new Set(firstAvailable.map((alternative) => alternative.name)),
    ]),
  );

export function* validateClaimSpec(spec: ResourceV1ResourceClaimSpec | undefined, field: string): Problems {
  const names = requestNames(spec);
  const { requests, constraints, config } = spec?.devices ?? {};
  const at = `${field}.devices`;
  yield* validateSet(requests, MAX_REQUESTS, `${at}.requests`, { check: validateRequest, key: ({ name }) => name });
  yield* validateList(constraints, MAX_CONSTRAINTS, `${at}.constraints`, function* (constraint, at) {
    yield* validateReferences(constraint.requests, `${at}.requests`, names);
    if (constraint.matchAttribute === undefined) yield required(`${at}.matchAttribute`);
    else yield* validateFullName(constraint.matchAttribute, `${at}.matchAttribute`);
  });
  yield* validateList(config, MAX_CONFIGS, `${at}.config`, function* (configuration, at) {
    yield* validateReferences(configuration.requests, `${at}.requests`, names);
    yield* validateConfiguration(configuration, at);
  });
}

function* validateRequest({ name, exactly, firstAvailable }: ResourceV1DeviceRequest, field: string): Problems {
  yield* validateDeviceName(name, `${field}.name`);
  if (!exactly && !firstAvailable?.length) yield required(field, ONE_FORM);
  else if (exactly && firstAvailable?.length)
    yield invalidValue(field, null, `${ONE_FORM}, but multiple fields are set`);
  else if (exactly) yield* validateWanted(exactly, `${field}.exactly`);
  else
    yield* validateSet(firstAvailable, MAX_ALTERNATIVES, `${field}.firstAvailable`, {
      *check(alternative, at) {
        yield* validateDeviceName(alternative.name, `${at}.name`);
        yield* validateWanted(alternative, at);
      },
      key: (alternative) => alternative.name,
    });
}

type Wanted = ResourceV1ExactDeviceRequest | ResourceV1DeviceSubRequest;

function* validateWanted({ deviceClassName: name, selectors, allocationMode, count }: Wanted, at: string): Problems {
  if (!name) yield required(`${at}.deviceClassName`);
  else yield* invalidFor(`${at}.deviceClassName`, name, dnsSubdomainProblems(name));
  yield* validateSelectors(selectors, `${at}.selectors`);
  if (allocationMode === "All") {
    if (count) yield invalidValue(`${at}.count`, count, "must not be specified when allocationMode is 'All'");
  } else if (allocationMode === "ExactCount") {
    if ((count ?? 0) <= 0) yield invalidValue(`${at}.count`, count ?? 0, "must be greater than zero");
  } else yield notSupported(`${at}.allocationMode`, allocationMode ?? "", MODES);
}

export function* validateReference(name: string, field: string, names: RequestNames): Problems {
  const [request = "", alternative, ...rest] = name.split("/");
  if (rest.length) {
    yield invalidValue(field, name, NOT_A_REQUEST);
    return;
  }
  for (const part of name.split("/")) yield* validateDeviceName(part, field);
  const alternatives = names.get(request);
  if (!alternatives || (alternative !== undefined && !alternatives.has(alternative)))
    yield invalidValue(field, name, NOT_A_REQUEST);
}

export function* validateReferences(list: readonly string[] | undefined, field: string, names: RequestNames): Problems {
  yield* validateSet(list, MAX_REQUESTS, field, {
    check: (name, at) => validateReference(name, at, names),
    key: (name) => name,
  });
}

export function* validateClaimChange({ spec }: ResourceV1ResourceClaim, old: ResourceV1ResourceClaim): Problems {
  if (!same(spec, old.spec)) yield invalidValue("spec", goValue("resource.ResourceClaimSpec", spec), IMMUTABLE);
}

export function* validateTemplate({ spec }: ResourceV1ResourceClaimTemplate): Problems {
  yield* validateTemplateMetadata(spec?.metadata, "spec.metadata");
  yield* validateClaimSpec(spec?.spec, "spec.spec");
}

export function* validateTemplateChange(
  { spec }: ResourceV1ResourceClaimTemplate,
  old: ResourceV1ResourceClaimTemplate,
): Problems {
  if (same(spec, old.spec)) return;
  yield invalidValue("spec", goValue("resource.ResourceClaimTemplateSpec", spec), IMMUTABLE);
}
