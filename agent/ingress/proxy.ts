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
import { Fronts } from "./server.ts";

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
const forwarder = new Forwarder(effects, { now: steadyEffects.now, random: effects.random }, (wake) => tell({ wake }));
const fronts = new Fronts(forwarder, certificates, effects);
const https = fronts.secure(443);
const usual = { http: new Listener(fronts.plain(80), 80), https: new Listener(https, 443) };
/** Of gateways, by port and whether it is of TLS. */
const others = new Map<string, Listener>();
const secure = new Set([https]);
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
  for (const server of secure) server.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
  forwarder.configure(config);
  const { http, https } = config.ports;
  await usual.http.open(http);
  await usual.https.open(https);
  forwarder.securePort = usual.https.port || 443;
  await openOthers(config.others ?? []);
  report();
  const wanted = [...(http === 0 ? [] : [usual.http]), ...(https === 0 ? [] : [usual.https]), ...others.values()];
  if (wanted.some(({ port }) => port === 0)) cancel = effects.after(AGAIN_MS, () => apply(config));
}

async function openOthers(wanted: NonNullable<Told["others"]>): Promise<void> {
  const keys = new Map(wanted.map((one) => [`${one.port} ${one.isSecure}`, one]));
  for (const [key, listener] of others) {
    if (keys.has(key)) continue;
    listener.close();
    others.delete(key);
  }
  for (const [key, { port, isSecure }] of keys) {
    const listener = others.get(key) ?? new Listener(isSecure ? secured(port) : fronts.plain(port), port);
    others.set(key, listener);
    await listener.open(port);
  }
}

function secured(port: number): typeof https {
  const server = fronts.secure(port);
  secure.add(server);
  server.once("close", () => secure.delete(server));
  return server;
}

const listening = () => [usual.http, usual.https, ...others.values()];

function report(): void {
  const problems = listening().flatMap(({ problem }) => problem ?? []);
  const [http, https] = [usual.http.port, usual.https.port];
  tell({ listening: { http, https, problems, certificates: certificates.problems } });
}

function stopListening(): void {
  for (const listener of listening()) listener.close();
  for (const session of fronts.sessions) session.close();
}

/** Ends when all have their answers, or had their time. */
async function leave(): Promise<void> {
  isLeaving = true;
  control.close();
  for (const agent of agents) agent.destroy();
  stopListening();
  for (let waited = 0; waited < DRAIN_MS; waited += LOOK_EVERY_MS) {
    if ((await fronts.pending()) === 0) break;
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
    else if ("take" in message) say(agent, { answers: message.take, taken: forwarder.counts.take() });
    else if (message.version !== VERSION) void leave();
  });
});
// What ends the agent's group, or its session, is not meant for those who are served.
for (const name of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(name, () => {});
process.on("uncaughtException", (error) => log(`ingress: ${error.stack ?? errorText(error)}`));
rmSync(controlSocket(folder), { force: true });
control.listen(controlSocket(folder));
cancel = effects.after(DRAIN_MS, () => void leave()); // whoever started this has gone
