#!/usr/bin/env node
/** The `skerry` command. */
import { hostname } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { OPTIONAL_CONTROLLERS, OPTIONAL_VERSIONS, type RuntimeConfig } from "../worker/lib/config.ts";
import { errorText } from "../worker/lib/error-text.ts";
import { effects } from "./effects.ts";
import type { AuditOptions } from "./local/audit.ts";
import { addBackupCommands } from "./local/backup-command-line.ts";
import { count, type Printed, seconds, url, withJson, withReach } from "./local/command-options.ts";
import type { JoinCommand } from "./local/commands.ts";
import { addCompletion } from "./local/completion/command-line.ts";
import { addComposeCommands } from "./local/compose/command-line.ts";
import { cachePath, homeFromEnvironment } from "./local/home.ts";
import type { KeptLogsOptions } from "./local/kept-logs.ts";
import type { LoginOptions } from "./local/logins.ts";
import { nextStep } from "./local/next-step.ts";
import { type NodeOptions, withNodeOptions } from "./local/node-options.ts";
import { BY_KUBECTL, type Reach } from "./local/reach.ts";
import { addRegistryCommands } from "./local/registry-command-line.ts";
import { endWithReader } from "./local/terminal.ts";
import { addUserCommands } from "./local/user-command-line.ts";
import { addVolumeCommands } from "./local/volume-command-line.ts";
import type { UpgradeOptions } from "./update/command.ts";
import { VERSION } from "./version.ts";

// Each command loads what it runs: the supervisor starts sooner and stays small.
const commands = () => import("./local/commands.ts");
const runAgent = async () => {
  await (await import("./local/install.ts")).ensureTools(cachePath(process.env), progress); // the agent cannot download
  const { ensureAgent, packageRoot } = await import("./local/bundle.ts");
  const program = await ensureAgent(packageRoot());
  (await import("./update/start.ts")).becomeCurrent(home(), program, progress);
};
const configurationOf = async (options: NodeOptions) =>
  (await import("./local/node-configuration.ts")).nodeConfiguration(options);
const defaultNodeName = () => hostname().toLowerCase();
const home = () => homeFromEnvironment(process.env);
const progress = (message: string) => process.stderr.write(`skerry: ${message}\n`);
function fail(error: unknown): void {
  progress(errorText(error));
  const next = nextStep(error);
  if (next) process.stderr.write(`        ${next}\n`);
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError("a port is 0 to 65535");
  return value;
}

function caHash(text: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError("it is sha256: and 64 hexadecimal digits");
  return text;
}

type GracePeriods = { gracePeriod: number; gracePeriodCriticalPods: number };

/** A kubelet's shutdownGracePeriod and shutdownGracePeriodCriticalPods. */
const withGracePeriods = (command: Command): Command =>
  command
    .option("--grace-period <duration>", "what pods get to end, all together", seconds, 30)
    .option("--grace-period-critical-pods <duration>", "the last of it, for critical pods alone", seconds, 10);

/** As kube-apiserver's flag says it: `group/version=true`, joined by commas. */
function runtimeConfig(text: string): RuntimeConfig {
  const entries = text.split(",").map((entry): [string, boolean] => {
    const [version = "", value = "true"] = entry.split("=");
    if (!OPTIONAL_VERSIONS.includes(version)) throw new InvalidArgumentError(`only ${OPTIONAL_VERSIONS} is optional`);
    return [version, value === "true" || value === "1"];
  });
  return Object.fromEntries(entries);
}

/** As kube-controller-manager's flag says it: all, but for `-name`s. */
function disabledControllers(text: string): string[] {
  const [all, ...rest] = text.split(",");
  const names = rest.map((entry) => entry.replace(/^-/, ""));
  if (all !== "*" || !rest.every((entry) => entry.startsWith("-") && OPTIONAL_CONTROLLERS.includes(entry.slice(1))))
    throw new InvalidArgumentError(
      `* and, with a - before them, ${OPTIONAL_CONTROLLERS.join(" and ")}: '*,-${OPTIONAL_CONTROLLERS[0]}'`,
    );
  return names;
}

type UpCommand = LoginOptions &
  NodeOptions & {
    agent: boolean;
    /** Those that are not to run; false for all. */
    controllers?: readonly string[] | false;
    clientCertificates?: boolean;
    runtimeConfig?: RuntimeConfig;
    eventTtl?: number;
    dualStack?: boolean;
    nodeName: string;
    nodeIp?: string;
    kubeletPort?: number;
  };

/** kube-apiserver's flags for ways in beside the cluster's own credentials. */
function withLogins(command: Command): Command {
  return command
    .option("--token-auth-file <path>", 'static tokens, a line each: token,user,uid,"group1,group2"')
    .option(
      "--authentication-config <path>",
      "an AuthenticationConfiguration: issuers of OpenID Connect, anonymous requests",
    )
    .option("--oidc-issuer-url <url>", "the one issuer of ID tokens, where no --authentication-config names more")
    .option("--oidc-client-id <id>", "the audience of its tokens")
    .option("--login-clients <path>", "YAML, by issuers' URLs: name and clientSecret that the page logs in by")
    .option("--oidc-username-claim <claim>", "the claim that is the user's name (default sub)")
    .option(
      "--oidc-username-prefix <prefix>",
      "before the name; - for none (default the issuer's URL and #, but for email)",
    )
    .option("--oidc-groups-claim <claim>", "the claim that is the user's groups")
    .option("--oidc-groups-prefix <prefix>", "before each group")
    .option("--oidc-required-claim <claim=value...>", "a claim that must have this value")
    .option("--oidc-signing-algs <list>", "accepted algorithms, joined by commas (default RS256)");
}

async function loginsOf(options: LoginOptions) {
  const isWanted =
    options.tokenAuthFile ||
    options.authenticationConfig ||
    options.oidcIssuerUrl ||
    options.oidcClientId ||
    options.loginClients;
  return isWanted ? (await import("./local/logins.ts")).readLoginSettings(options) : undefined;
}

const program = new Command(process.env[BY_KUBECTL] ? "kubectl skerry" : "skerry")
  .description("Kubernetes without servers")
  .version(VERSION)
  .showHelpAfterError("(--help says what there is)")
  .addHelpText(
    "after",
    "\nEnvironment:\n  SKERRY_HOME  holds all state (default /var/lib/skerry)\n  SKERRY_PORT  the API's port (default 6443)",
  );

withNodeOptions(withLogins(program.command("up")))
  .description("start a cluster on this machine, or resume it")
  .option("--oidc-ca-file <path>", "an authority that the issuer is trusted by, beside the system's")
  .option("--client-certificates", "clients may log in by certificates of the cluster's CA; costs a detour")
  .option("--no-agent", "the control plane alone: needs neither root nor containerd")
  .option("--controllers <list>", "all but some: '*,-service-controller'", disabledControllers)
  .option("--no-controllers", "the API alone, without controllers and scheduler")
  .option(
    "--runtime-config <group/version=true,...>",
    `versions to serve that are not served otherwise: ${OPTIONAL_VERSIONS.join(", ")}`,
    runtimeConfig,
  )
  .option("--dual-stack", "pods and Services have IPv6 addresses beside IPv4; for a cluster's first start")
  .option("--event-ttl <duration>", "how long events are kept (default 1h)", seconds)
  .option("--node-name <name>", "this machine's name in the cluster", defaultNodeName())
  .option("--node-ip <address>", "the address that other nodes reach this machine by")
  .option(
    "--kubelet-port <port>",
    "where the node's own API listens, 0 for nowhere (default 10250, or any where that is taken)",
    port,
  )
  .action(async (options: UpCommand) => {
    const logins = await loginsOf(options);
    const { controllers, clientCertificates, agent, nodeName, nodeIp, kubeletPort } = options;
    const { runtimeConfig: versions, eventTtl: eventTtlSeconds, dualStack } = options;
    const common = {
      home: home(),
      controllers: controllers !== false,
      ...(controllers && { disabledControllers: controllers }),
      runtimeConfig: versions,
      eventTtlSeconds,
      dualStack,
      clientCertificates,
      logins,
      progress,
      effects,
    };
    if (!agent && !clientCertificates) return (await import("./local/alone.ts")).upAlone(common);
    const configuration = await configurationOf(options);
    const { up } = await import("./local/supervisor.ts");
    const cluster = await up({ ...common, ...(agent && { node: nodeName }), nodeIp, kubeletPort, configuration });
    process.stdout.write(`\n${cluster.summary}\n`);
    const signal = await new Promise<string>((resolve) => {
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => resolve(name));
    });
    progress(`${signal}: stopping; containers keep running`);
    await cluster.stop();
    process.exit(0);
  });

program
  .command("down")
  .description("stop what `up` started")
  .option("--pods", "remove this machine's containers and network too; the cluster's state stays")
  .action(async (options: { pods?: boolean }) =>
    (await commands()).down(home(), options.pods ?? false, progress, effects),
  );

withNodeOptions(program.command("join"))
  .description("make this machine a node of a cluster, and keep it one until stopped")
  .argument("<url>", "the cluster's URL", url)
  .option("--token <token>", "a join token, from `skerry token create`; needed once")
  .option("--ca-hash <hash>", "trust the server whose certificate chain has this hash (sha256:…)", caHash)
  .option("--node-name <name>", "this machine's name in the cluster", defaultNodeName())
  .option("--node-ip <address>", "the address that other nodes reach this machine by")
  .option(
    "--kubelet-port <port>",
    "where the node's own API listens, 0 for nowhere (default 10250, or any where that is taken)",
    port,
  )
  .action(async (url: string, options: Omit<JoinCommand, "server" | "configuration"> & NodeOptions) => {
    const configuration = await configurationOf(options);
    const { joinCluster } = await commands();
    await joinCluster(home(), { server: url, ...options, configuration }, progress);
    await runAgent();
  });

program
  .command("announce", { hidden: true })
  .description("say when the control plane answers, or to the process that started this that it does not")
  .action(async () => {
    const { answers, summary } = await import("./local/answers.ts");
    try {
      await answers(home(), effects);
      process.stdout.write(`\n${summary(home())}\n`);
    } catch (error) {
      fail(error);
      process.kill(process.ppid, "SIGUSR1");
    }
  });

program.command("agent", { hidden: true }).description("run the node's agent, already joined").action(runAgent);

const node = program.command("node").description("the node on this machine");
withGracePeriods(
  node
    .command("shutdown")
    .description("end its pods as the machine is about to go down: by priority, critical ones last"),
)
  .option("--cancel", "the machine goes on after all: the node takes pods again")
  .action(async (options: GracePeriods & { cancel?: boolean }) =>
    (await import("./node/shutdown-request.ts")).requestShutdown(home(), options, effects, progress),
  );

withJson(program.command("net").description("the node's network").command("doctor"))
  .description("how this node reaches the others: by the local network, directly, or by relays")
  .action(async (options: Printed) => (await import("./local/net-doctor.ts")).netDoctor(home(), options.json ?? false));

const service = program.command("service").description("this machine's node under systemd, from boot on");
withGracePeriods(service.command("install").description("write the units, enable and start them"))
  .option("--name <name>", "what the units' names begin with", "skerry")
  .option("--print", "print the units instead")
  .argument("[flags...]", "flags of `up`, where this machine has the control plane; after --")
  .action(async (flags: string[], options: GracePeriods & { name: string; print?: boolean }) => {
    const { gracePeriod: total, gracePeriodCriticalPods: critical, name, print } = options;
    const { installService } = await import("./systemd/command.ts");
    await installService(home(), { total, critical, name, print, flags }, progress);
  });
service
  .command("uninstall")
  .description("take the units away; containers go on")
  .option("--name <name>", "what the units' names begin with", "skerry")
  .action(async ({ name }: { name: string }) => (await import("./systemd/command.ts")).removeService(name, progress));

const token = program.command("token").description("join tokens");
withReach(token.command("create"))
  .description("print the command that adds a machine")
  .option("--ttl <duration>", "how long it is valid", seconds, 86_400)
  .option("--replace", "the machine may take over the name of a node that exists, as after a new installation")
  .action(async (options: Reach & { ttl: number; replace?: boolean }) =>
    (await commands()).createToken(home(), options),
  );
withJson(withReach(token.command("list")))
  .description("print which there are, and till when")
  .action(async (options: Reach & Printed) => (await commands()).listTokens(home(), options));
withReach(token.command("revoke"))
  .description("make one worthless; machines that joined with it stay")
  .argument("<id>")
  .action(async (id: string, options: Reach) => (await commands()).revokeToken(home(), id, options));

withJson(withReach(program.command("kept-logs")))
  .description("what stays of logs where a Namespace says so (skerry.dev/keep-logs), also of pods that are gone")
  .argument("[namespace[/pod]]", "a namespace's logs, or the text of a pod's; without it the namespaces")
  .option("-c, --container <name>", "of a pod that has several")
  .option("--uid <uid>", "of several pods that had the name, this one's")
  .option("--tail <lines>", "only the last so many lines")
  .option("--since <time>", "only what was printed since, RFC 3339")
  .option("--timestamps", "with the time of each line")
  .action(async (what: string | undefined, options: KeptLogsOptions) =>
    (await import("./local/kept-logs.ts")).keptLogs(home(), what, options),
  );

withReach(program.command("audit"))
  .description("print who did what: writes, connections, reads of Secrets, acting as others, refusals")
  .option("--since <duration>", "no older than this, e.g. 1h", seconds)
  .option("--user <name>", "of one user, also where it acted as another or another as it")
  .option("--verb <verb>", "e.g. delete")
  .option("--resource <resource>", "e.g. secrets, deployments.apps, pods/exec")
  .option("-n, --namespace <name>", "in one namespace")
  .option("--limit <number>", "the newest so many", count, 200)
  .option("--follow", "go on with what happens then")
  .option("--json", "an audit.k8s.io/v1 EventList; with --follow an Event a line")
  .action(async (options: AuditOptions) => (await import("./local/audit.ts")).audit(home(), options, effects));

const secrets = program.command("secrets").description("the keys under which Secrets are stored");
withJson(withReach(secrets.command("status")))
  .description("print the keys in use, and whether former secrets are still needed")
  .action(async (options: Reach & Printed) => (await import("./local/secrets.ts")).showKeys(home(), options));
secrets
  .command("rotate")
  .description("put a new secret above the present one, for the next start of `up` or the next `deploy`")
  .option("--key-only", "keep the secret: make a new key under it and write all anew, at once")
  .option("--cluster <name>", "with --key-only, of which cluster", "default")
  .action(async (options: { keyOnly?: boolean; cluster: string }) =>
    (await import("./local/secrets.ts")).rotate(home(), options, progress),
  );
secrets
  .command("prune")
  .description("forget former secrets, once nothing is stored under them in any of these clusters")
  .argument("[clusters...]", "all clusters of the deployment", ["default"])
  .action(async (clusters: string[]) => (await import("./local/secrets.ts")).prune(home(), clusters, progress));

withReach(program.command("kubeconfig"))
  .description("print a kubeconfig for the administrator; a new name of a cluster makes a new one")
  .action(async (options: Reach) => (await commands()).printKubeconfig(home(), options));

withReach(program.command("page"))
  .description("print the address of the cluster's page, and a token to log in there with")
  .action(async (options: Reach) => (await commands()).printPage(home(), options));

const upgrade = withReach(program.command("upgrade"))
  .description("renew the nodes' agents to this program's version: one first, then a share of them at a time")
  .option("--percent <number>", "so many of the nodes at once, after the first", count, 20)
  .option("--timeout <duration>", "a node that is not back well by then stops it all", seconds, 300)
  .action(async (options: UpgradeOptions) => (await import("./update/command.ts")).upgrade(home(), options, progress));
withJson(upgrade.command("status"))
  .description("print which version each node runs, and how the renewal goes")
  .action(async (_: unknown, command: Command) =>
    (await import("./update/command.ts")).status(home(), command.optsWithGlobals<Reach & Printed>()),
  );
for (const [name, description] of Object.entries({
  pause: "tell no further node",
  resume: "go on with what was paused or has stopped",
} as const))
  upgrade
    .command(name)
    .description(description)
    .action(async (_: unknown, command: Command) => {
      const commands = await import("./update/command.ts");
      await commands[name as "pause" | "resume"](home(), command.optsWithGlobals<Reach>());
    });

withLogins(program.command("deploy"))
  .description("deploy the control plane to your Cloudflare account with wrangler")
  .option("--name <name>", "the Worker's name", "skerry")
  .option("--bucket <name>", "of R2, made where it is not there: for backups of volumes; without it there is none")
  .option("--dry-run", "bundle only")
  .action(async (options: LoginOptions & { name: string; bucket?: string; dryRun?: boolean }) => {
    const logins = await loginsOf(options);
    await (await import("./local/deploy.ts")).deploy(home(), { ...options, logins }, progress);
  });

addBackupCommands(program, home, progress);
addVolumeCommands(program, home, progress);
addRegistryCommands(program, home, progress);
addComposeCommands(program, home, progress);
addUserCommands(program, home, progress);
addCompletion(program);

endWithReader(process.stdout, process.exit);
program.parseAsync().catch((error: unknown) => {
  fail(error);
  process.exit(1);
});
