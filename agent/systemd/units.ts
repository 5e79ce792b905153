/** The units under which systemd runs a node. https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html */

/** What pods get to end when the machine goes down, in s: shutdownGracePeriod and shutdownGracePeriodCriticalPods. */
export type ShutdownSettings = { total: number; critical: number };

export type UnitOptions = {
  /** What the units' names begin with: `skerry`; another where several homes are on one machine. */
  name: string;
  home: string;
  port: number;
  /** The start of a command line of this program. */
  program: readonly string[];
  containerd: string;
  /** A node that joined, or the control plane with the node beside it. */
  role: "agent" | "cluster";
  /** For `up`. */
  flags: readonly string[];
  shutdown: ShutdownSettings;
};

export type Unit = { name: string; text: string };

/** An agent that says nothing for so long hangs, and is started again, in s. */
const WATCHDOG_SECONDS = 120;
/** For the start of the command that ends the pods, and for what comes after the last one, in s. */
const SHUTDOWN_MARGIN_SECONDS = 30;

/** In systemd's own way: no variables, no specifiers. */
function quote(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@+=:,./%$-]+$/.test(word)) return escaped;
  return `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

const line = (words: readonly string[]) => words.map(quote).join(" ");
/** The same, where no variables are replaced. */
const environment = (name: string, value: string) => `Environment=${quote(`${name}=${value}`).replaceAll("$$", "$")}`;

/** Containers are in cgroups of their own and outlive whatever started them. */
const STANDING = `KillMode=process
Delegate=yes
Restart=always
RestartSec=2
TasksMax=infinity
LimitNOFILE=1048576
OOMScoreAdjust=-999`;

export function unitsFor(options: UnitOptions): Unit[] {
  const { name, role } = options;
  const units = role === "agent" ? [containerdUnit(options), agentUnit(options)] : [clusterUnit(options)];
  return [...units, shutdownUnit(options, [`${name}.service`, ...units.map((unit) => unit.name)])];
}

/** Whether a unit's text is one of this home's. */
export const belongsTo = (home: string, text: string): boolean =>
  text.includes(`${environment("SKERRY_HOME", home)}\n`) ||
  text.includes(`\nDescription=containerd of the Skerry node in ${home}\n`);

function containerdUnit({ name, home, containerd }: UnitOptions): Unit {
  const settings = `${home}/containerd/config.toml`;
  // One that an agent in a terminal has started holds the data; containers do not notice when it ends.
  const end = ["pkill", "-f", "--", ` -c ${settings.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`];
  const remember = ["sh", "-c", 'echo "$MAINPID" >"$0"', `${home}/containerd/containerd.pid`];
  const text = `[Unit]
Description=containerd of the Skerry node in ${home}
Documentation=https://containerd.io
After=local-fs.target dbus.service
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStartPre=-${line(end)}
ExecStart=${line([containerd, "-c", settings])}
ExecStartPost=-${line(remember)}
${STANDING}

[Install]
WantedBy=multi-user.target
`;
  return { name: `${name}-containerd.service`, text };
}

function agentUnit({ name, home, port, program }: UnitOptions): Unit {
  const text = `[Unit]
Description=Skerry node in ${home}
Wants=network-online.target ${name}-containerd.service
After=network-online.target time-sync.target ${name}-containerd.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
WatchdogSec=${WATCHDOG_SECONDS}
TimeoutStartSec=infinity
TimeoutStopSec=30
${environment("SKERRY_HOME", home)}
${environment("SKERRY_PORT", String(port))}
Environment=SKERRY_CONTAINERD=external
ExecStart=${line([...program, "agent"])}
${STANDING}

[Install]
WantedBy=multi-user.target
`;
  return { name: `${name}.service`, text };
}

function clusterUnit({ name, home, port, program, flags }: UnitOptions): Unit {
  const text = `[Unit]
Description=Skerry cluster in ${home}
Wants=network-online.target
After=network-online.target time-sync.target
StartLimitIntervalSec=0

[Service]
Type=exec
TimeoutStopSec=30
${environment("SKERRY_HOME", home)}
${environment("SKERRY_PORT", String(port))}
ExecStart=${line([...program, "up", ...flags])}
${STANDING}

[Install]
WantedBy=multi-user.target
`;
  return { name: `${name}.service`, text };
}

/** Stopped when the machine goes down, before all that it was started after. */
function shutdownUnit({ name, home, program, shutdown }: UnitOptions, others: readonly string[]): Unit {
  const { total, critical } = shutdown;
  const command = ["node", "shutdown", "--grace-period", `${total}s`, "--grace-period-critical-pods", `${critical}s`];
  const text = `[Unit]
Description=Pods of the Skerry node in ${home} end before the machine does
After=network-online.target ${[...new Set(others)].join(" ")}
Wants=${name}.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStopSec=${total + SHUTDOWN_MARGIN_SECONDS}
${environment("SKERRY_HOME", home)}
ExecStart=/bin/true
ExecStop=${line([...program, ...command])}

[Install]
WantedBy=multi-user.target
`;
  return { name: `${name}-shutdown.service`, text };
}
