/** `skerry completion`: written from the very commands that there are. */
import { Argument, type Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print what completes this command in a shell")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText(
      "after",
      `
  bash:  source <(skerry completion bash)     in ~/.bashrc
  zsh:   source <(skerry completion zsh)      in ~/.zshrc, after compinit
  fish:  skerry completion fish > ~/.config/fish/completions/skerry.fish`,
    )
    .action(async (shell: Shell) => {
      const { completionFor } = await import("./scripts.ts");
      process.stdout.write(completionFor(shell, program));
    });
}
