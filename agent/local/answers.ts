/** When the control plane answers, and what there is to say then. */
import type { Effects } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Timers } from "../effects.ts";
import { administrator } from "./credentials.ts";
import { files, type Home, writeFile } from "./home.ts";
import { type Server, send } from "./http.ts";
import { kubeconfig } from "./kubeconfig.ts";

const ANSWER_TIMEOUT_MS = 30_000;

/** Polls until `check` gives a value; says what was waited for when it does not in time. */
export async function waitFor<T>(
  what: string,
  ms: number,
  effects: Effects & Timers,
  check: () => Promise<T | undefined>,
): Promise<T> {
  const end = effects.now() + ms;
  let last = "";
  while (effects.now() < end) {
    try {
      const value = await check();
      if (value !== undefined) return value;
    } catch (error) {
      last = errorText(error);
    }
    await effects.sleep(100);
  }
  throw new Error(`${what}: not within ${ms / 1000} s${last ? ` (${last})` : ""}`);
}

/** Waits until the control plane answers, and writes the administrator's way in. */
export async function answers(home: Home, effects: Effects & Timers): Promise<Server> {
  const server = await administrator(home);
  await waitFor("the control plane answers", ANSWER_TIMEOUT_MS, effects, async () => {
    const { code, body } = await send(server, "GET", "/readyz");
    if (code === 200) return true;
    throw new Error(String(body.message ?? `code ${code}`));
  });
  const { kubeconfig: path } = files(home.path);
  writeFile(path, kubeconfig({ name: "skerry", server: server.url, ca: server.ca, token: server.token }));
  return server;
}

/** How the user called this program: from a clone by npm, or as the installed command. */
const commandName = () => (process.env.npm_lifecycle_event ? "npm run skerry --" : "skerry");

/** `node`: this machine's name, where it is one. */
export function summary(home: Home, node?: string): string {
  const lines = [
    node
      ? `Skerry is running; node ${node} is Ready. In another terminal:`
      : "The control plane is running. In another terminal:",
    "",
    `  export KUBECONFIG=${files(home.path).kubeconfig}`,
    ...(node
      ? [
          "  kubectl get nodes",
          "  kubectl create deployment web --image=nginx --replicas=2",
          "  kubectl get pods -o wide",
        ]
      : ["  kubectl api-resources", `  ${commandName()} token create     # prints how to add a machine`]),
    "",
    "Ctrl-C stops the control plane; containers keep running, and the next start finds them again.",
  ];
  return lines.join("\n");
}
