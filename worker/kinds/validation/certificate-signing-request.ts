import { certificateChainProblem, readCertificateRequest } from "../../lib/certificate-requests.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong } from "../../lib/status.ts";
import type { CertificatesV1CertificateSigningRequest } from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, type Problems } from "./fields.ts";

type Request = CertificatesV1CertificateSigningRequest;

const USAGES = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];
const MIN_EXPIRATION_SECONDS = 600;
const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";

export function* validateCertificateSigningRequest({ spec, status }: Request): Problems {
  const { request = "", usages = [], signerName = "", expirationSeconds } = spec ?? {};
  const read = readCertificateRequest(request);
  if ("problem" in read) yield invalidValue("spec.request", request, read.problem);
  if (usages.length === 0) yield required("spec.usages");
  for (const [index, usage] of usages.entries())
    if (!USAGES.includes(usage)) yield notSupported(`spec.usages[${index}]`, usage, USAGES);
  for (const [index, usage] of usages.entries())
    if (usages.indexOf(usage) < index) yield duplicate(`spec.usages[${index}]`, usage);
  if (signerName === LEGACY_SIGNER)
    yield invalidValue("spec.signerName", signerName, "the legacy signerName is not allowed via this API version");
  else yield* validateSignerName(signerName, "spec.signerName");
  if (expirationSeconds !== undefined && expirationSeconds < MIN_EXPIRATION_SECONDS)
    yield invalidValue(
      "spec.expirationSeconds",
      expirationSeconds,
      "may not specify a duration less than 600 seconds (10 minutes)",
    );
  yield* validateConditions(status?.conditions ?? []);
  const problem = status?.certificate ? certificateChainProblem(status.certificate) : undefined;
  if (problem) yield invalidValue("status.certificate", "<certificate data>", problem);
}

const MAX_DOMAIN_BYTES = 253;
const FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'";

function* validateSignerName(name: string, field: string): Problems {
  if (name === "") return yield required(field);
  const [domain = "", path = "", ...more] = name.split("/");
  if (!name.includes("/") || more.length > 0) return yield invalidValue(field, name, FORM);
  if (domain.length > MAX_DOMAIN_BYTES) yield tooLong(field, MAX_DOMAIN_BYTES);
  yield* firstBad(domain, field, dnsLabelProblems);
  if (!domain.includes("."))
    yield invalidValue(field, domain, "should be a domain with at least two segments separated by dots");
  yield* firstBad(path, field, dnsSubdomainProblems);
}

function* firstBad(text: string, field: string, rule: (label: string) => readonly string[]): Problems {
  const bad = text.split(".").find((label) => rule(label).length > 0);
  if (bad === undefined) return;
  const reasons = rule(bad).map((why) => `validating label ${JSON.stringify(bad)}: ${why}`);
  yield* invalidFor(field, text, reasons);
}

type Condition = NonNullable<NonNullable<Request["status"]>["conditions"]>[number];

const STATUS = ["False", "True", "Unknown"];
/** Once said they stay said. */
const FINAL = ["Approved", "Denied", "Failed"];
const BY_APPROVAL = ["Approved", "Denied"];

function* validateConditions(conditions: readonly Condition[]): Problems {
  const field = "status.conditions";
  for (const [index, { type, status }] of conditions.entries()) {
    const at = `${field}[${index}]`;
    if (!type) yield required(`${at}.type`);
    const allowed = FINAL.includes(type) ? ["True"] : STATUS;
    if (!status) yield required(`${at}.status`);
    else if (!allowed.includes(status)) yield notSupported(`${at}.status`, status, allowed);
    const before = conditions.slice(0, index);
    const other = BY_APPROVAL.includes(type) ? BY_APPROVAL.find((name) => name !== type) : undefined;
    if (other && before.some((known) => known.type === other))
      yield invalidValue(field, type, "Approved and Denied conditions are mutually exclusive");
    if (before.some((known) => known.type === type)) yield duplicate(`${at}.type`, type);
  }
}

export function* validateCertificateSigningRequestUpdate(
  request: Request,
  old: Request,
  subresource: string,
): Problems {
  const field = "status.conditions";
  const ofType = ({ status }: Request, type: string) => (status?.conditions ?? []).filter((c) => c.type === type);
  for (const type of FINAL)
    if (ofType(request, type).length < ofType(old, type).length)
      yield forbiddenField(field, `updates may not remove a condition of type ${JSON.stringify(type)}`);
  for (const type of subresource === "approval" ? [] : BY_APPROVAL) {
    const [now, before] = [ofType(request, type), ofType(old, type)];
    if (now.length > before.length)
      yield forbiddenField(field, `updates may not add a condition of type ${JSON.stringify(type)}`);
    else if (now.length === before.length && !same(now, before))
      yield forbiddenField(field, `updates may not modify a condition of type ${JSON.stringify(type)}`);
  }
  const known = old.status?.certificate ?? "";
  if ((request.status?.certificate ?? "") === known) return;
  if (subresource !== "status") yield forbiddenField("status.certificate", "updates may not set certificate content");
  else if (known) yield forbiddenField("status.certificate", "updates may not modify existing certificate content");
}
