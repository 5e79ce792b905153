/** Somebody who types what the documentation says, in one shell that remembers where it is and what was exported. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../agent/process.ts";
import { eventually } from "../support/cluster.ts";
import { missing } from "./compare.ts";
import { type Command, ROOT } from "./page.ts";

const COMMAND_TIMEOUT_MS = 600_000;

/** What only looks is asked again until it shows what the page shows: much is told a moment later. */
const LOOKS =
  /^(kubectl( -n \S+)? (get|logs|describe|top|wait|exec)|curl|skerry (net doctor|upgrade status|volume backups|audit))(?= |$)/;

export type ReaderOptions = {
  /** A folder of the reader's own. */
  folder: string;
  environment: NodeJS.ProcessEnv;
  /** What runs a program where the reader sits: `nsenter` and its arguments on another machine. */
  within?: readonly string[];
  /** What stands in the documentation for something that is another one in this test. */
  replaced(text: string): string;
};

export class Reader {
  private readonly options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.options = options;
    mkdirSync(join(options.folder, "bin"), { recursive: true });
    const skerry = `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, "agent/main.ts")} "$@"\n`;
    writeFileSync(join(options.folder, "bin/skerry"), skerry, { mode: 0o755 });
    if (!existsSync(join(options.folder, "docs"))) symlinkSync(join(ROOT, "docs"), join(options.folder, "docs"));
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.options.folder, name), this.options.replaced(text));
  }

  /** Types a command; what it printed. Rejects when it fails, unless it is to, or prints something else than is shown. */
  async type({ text, shown }: Command, fails = false): Promise<string> {
    const attempt = async () => {
      const { code, printed } = await this.once(this.options.replaced(text));
      if ((code !== 0) !== fails) throw new Error(`${text}\nended with ${code}:\n${printed}`);
      const lost = missing(shown.map(this.options.replaced), printed);
      if (lost !== undefined) throw new Error(`${text}\ndid not print\n${lost}\nbut\n${printed}`);
      return printed;
    };
    return LOOKS.test(text) ? eventually(text, attempt) : attempt();
  }

  private async once(command: string): Promise<{ code: number; printed: string }> {
    const { folder, environment, within = [] } = this.options;
    const memory = join(folder, ".memory");
    const script = [
      `[ ! -e ${memory} ] || . ${memory}`,
      'eval "$COMMAND"',
      `code=$?; { echo "cd '$PWD'"; export -p | grep -v ' \\(COMMAND\\|PWD\\|OLDPWD\\|SHLVL\\)='; } >${memory}; exit $code`,
    ].join("\n");
    const [program = "bash", ...args] = [...within, "bash", "-c", script];
    const env = { ...environment, PATH: `${join(folder, "bin")}:${process.env.PATH}`, COMMAND: command };
    const { code, stdout, stderr } = await run(program, args, { cwd: folder, env, timeoutMs: COMMAND_TIMEOUT_MS });
    return { code, printed: stdout + stderr };
  }
}
