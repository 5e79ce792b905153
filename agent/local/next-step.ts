/** What whoever meets an error can do next, where that is known. */
import { HttpError } from "./http.ts";

type Hint = { when: (code: string, message: string, error: unknown) => boolean; say: string };

const isHttp = (error: unknown, code: number, path?: RegExp): boolean =>
  error instanceof HttpError && error.code === code && (path?.test(error.path) ?? true);

/** What is said of a home in which nothing is, or nothing that this user may see. */
const NOT_HERE = /has no cluster|belongs to no cluster|holds neither a node nor|^no agent of /;

/** The first that fits is said. */
const HINTS: readonly Hint[] = [
  {
    when: (_, __, error) => isHttp(error, 401, /^\/skerry\/join/) || isHttp(error, 403, /^\/skerry\/join/),
    say: "a join token is valid for a day and till it is revoked: `skerry token create` on the cluster's side prints a new one",
  },
  {
    when: (_, __, error) => isHttp(error, 409, /^\/skerry\/join/),
    say: "choose another --node-name, or let this machine take that one's place: `skerry token create --replace`",
  },
  {
    when: (_, __, error) => isHttp(error, 422, /^\/skerry\/join/),
    say: "choose a name that is one: `--node-name` takes lower-case letters, digits, - and .",
  },
  {
    when: (_, __, error) => isHttp(error, 404, /^\/skerry\/tokens/),
    say: "`skerry token list` prints which there are",
  },
  {
    when: (_, __, error) => isHttp(error, 404, /^\/skerry\/volumes/),
    say: "`kubectl get pvc -A` prints which claims there are",
  },
  {
    when: (_, __, error) => isHttp(error, 404, /\/agent-rollout$/),
    say: "no renewal was begun: `skerry upgrade` begins one",
  },
  {
    when: (_, __, error) => isHttp(error, 401),
    say: "the token is not, or no more, one of this cluster's: `skerry kubeconfig` on the cluster's side prints a new way in",
  },
  {
    when: (_, __, error) => isHttp(error, 403),
    say: "`kubectl auth can-i --list` shows what this user may do; a role binding gives more",
  },
  {
    when: (code, message) =>
      code === "ECONNREFUSED" && /(?<![\w:.])(127\.0\.0\.1|::1|localhost)(?![\w.]|:{2})/.test(message),
    say: "no cluster runs here: `skerry up` starts one; if it listens elsewhere, set SKERRY_PORT or give --kubeconfig",
  },
  {
    when: (code) => code === "ECONNREFUSED" || code === "ECONNRESET",
    say: "check the address and port, and that the cluster runs: `skerry status` on its machine",
  },
  {
    when: (code) => ["ENOTFOUND", "EAI_AGAIN"].includes(code),
    say: "check the name; if it is right, `skerry doctor` looks at this machine's DNS and uplink",
  },
  {
    when: (code, message) =>
      ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"].includes(code) || /^no answer from /.test(message),
    say: "`skerry doctor` looks at this machine's uplink, firewall and MTU",
  },
  {
    when: (code) => ["CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED"].includes(code),
    say: "this machine's clock may be wrong: `date` shows it, `skerry doctor` compares it with the cluster's",
  },
  {
    when: (code) =>
      ["SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"].includes(code),
    say: "name the cluster's authority: `skerry token create` prints the whole line with --ca-hash; a kubeconfig holds it",
  },
  {
    when: (code, message) =>
      code === "ERR_TLS_CERT_ALTNAME_INVALID" || /presents no certificate with the hash/.test(message),
    say: "the address leads to another server than meant: take both from one `skerry token create`",
  },
  {
    when: (code) => ["EACCES", "EPERM"].includes(code) && process.getuid?.() !== 0,
    say: "it belongs to root: use sudo",
  },
  {
    when: (_, message) => NOT_HERE.test(message) && process.getuid?.() !== 0,
    say: "what belongs to root is not seen by others: use sudo",
  },
  {
    when: (_, message) => /^no agent of /.test(message),
    say: "`skerry up`, or `skerry join URL` on a machine that joined, starts it; SKERRY_HOME names another home",
  },
  {
    when: (code) => code === "EPROTO",
    say: "what listens there speaks no TLS: check the port, or say http:// if that is meant",
  },
  {
    when: (code, message) => code === "ENOENT" && !message.startsWith("spawn "),
    say: "check the path, which counts from the folder that you are in",
  },
  {
    when: (code) => ["EEXIST", "ENOTDIR"].includes(code),
    say: "that is a file, and a folder is needed: SKERRY_HOME names the one that holds all state",
  },
  { when: (code) => code === "ENOSPC", say: "the disk is full: `skerry doctor` says which" },
];

export function nextStep(error: unknown): string | undefined {
  const { code = "", message = "" } = (error ?? {}) as { code?: unknown; message?: string };
  return HINTS.find(({ when }) => when(String(code), message, error))?.say;
}
