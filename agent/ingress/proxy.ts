/**
 * The node's ingress proxy: a process of its own, so that it is compiled and not interpreted as the agent is, outlives the
 * agent, and takes memory only while there is an Ingress.
 *
 * Usage: `node proxy.ts FOLDER`; the agent says what is served on `FOLDER/proxy.sock`, as `control.ts` tells.
 */
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createAuthority } from "../../worker/lib/certificates.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { effects, steadyEffects } from "../effects.ts";
import { VERSION } from "../version.ts";
import { CertificateStore } from "./certificates.ts";
import { controlSocket, type FromProxy, hear, say, type Told, type ToProxy } from "./control.ts";
import { Forwarder } from "./forwarder.ts";
import { Listener } from "./listener.ts";
import { createServers } from "./server.ts";

/** Those who are served have so long to get their answers when nothing new is served. */
const DRAIN_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** An Ingress may come back at once. */
const IDLE_MS = 5_000;
/** A port that is taken is tried again so often. */
const AGAIN_MS = 5_000;

const folder = process.argv[2] ?? "";
const agents = new Set<Socket>();
const tell = (message: FromProxy) => {
  for (const agent of agents) say(agent, message);
};
const log = (text: string) => tell({ log: text });

const fallback = await createAuthority("skerry-ingress-self-signed", effects.now());
const certificates = new CertificateStore(fallback);
const forwarder = new Forwarder(effects, steadyEffects.now, (wake) => tell({ wake }));
const { http, https, sessions } = createServers(forwarder, certificates, effects);
const listeners = { http: new Listener(http, 80), https: new Listener(https, 443) };
let work = Promise.resolve();
let cancel = () => {};
let isLeaving = false;

/** One configuration after the other. */
function apply(config: Told | null): void {
  work = work.then(() => configure(config)).catch((error: unknown) => log(errorText(error)));
}

async function configure(config: Told | null): Promise<void> {
  cancel();
  if (isLeaving) return;
  if (!config) {
    stopListening();
    cancel = effects.after(IDLE_MS, () => void leave());
    return report();
  }
  if (config.certificates) certificates.configure(config.certificates);
  const { cert, key } = certificates.unnamed;
  https.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
  forwarder.configure(config);
  await listeners.http.open(config.ports.http);
  await listeners.https.open(config.ports.https);
  forwarder.securePort = listeners.https.port || 443;
  report();
  const lacks = Object.entries(listeners).some(
    ([name, { port }]) => port === 0 && config.ports[name as keyof typeof listeners] !== 0,
  );
  if (lacks) cancel = effects.after(AGAIN_MS, () => apply(config));
}

function report(): void {
  const problems = Object.values(listeners).flatMap(({ problem }) => problem ?? []);
  const [{ port: httpPort }, { port: httpsPort }] = [listeners.http, listeners.https];
  tell({ listening: { http: httpPort, https: httpsPort, problems, certificates: certificates.problems } });
}

function stopListening(): void {
  for (const listener of Object.values(listeners)) listener.close();
  for (const session of sessions) session.close();
}

const connections = (server: typeof http | typeof https): Promise<number> =>
  new Promise((resolve) => server.getConnections((_, count) => resolve(count ?? 0)));

/** Ends when all have their answers, or had their time. */
async function leave(): Promise<void> {
  isLeaving = true;
  control.close();
  for (const agent of agents) agent.destroy();
  stopListening();
  for (let waited = 0; waited < DRAIN_MS; waited += LOOK_EVERY_MS) {
    for (const server of [http, https]) server.closeIdleConnections();
    if ((await connections(http)) + (await connections(https)) === 0) break;
    await effects.sleep(LOOK_EVERY_MS);
  }
  process.exit();
}

const control = createServer((agent) => {
  agents.add(agent);
  agent.on("error", () => {}).once("close", () => agents.delete(agent));
  hear<ToProxy>(agent, (message) => {
    if ("end" in message) process.exit();
    if ("config" in message) apply(message.config);
    else if ("ask" in message) say(agent, { answers: message.ask, traffic: forwarder.counts.figures() });
    else if (message.version !== VERSION) void leave();
  });
});
// What ends the agent's group, or its session, is not meant for those who are served.
for (const name of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(name, () => {});
process.on("uncaughtException", (error) => log(`ingress: ${error.stack ?? errorText(error)}`));
rmSync(controlSocket(folder), { force: true });
control.listen(controlSocket(folder));
cancel = effects.after(DRAIN_MS, () => void leave()); // whoever started this has gone
