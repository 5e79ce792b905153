/** Completion scripts from commander's tree. They hold all words, so that no key waits for this program to start. */
import type { Command, Option } from "commander";
import type { Shell } from "./command-line.ts";

type Word = { word: string; description: string };
type Flag = { names: string[]; description: string; value: "none" | "file" | "other" };
/** `path`: the commands' names down to it, joined by blanks; "" is the program itself. */
type Place = { path: string; commands: Word[]; flags: Flag[]; choices: string[] };

const HELP: Flag = { names: ["-h", "--help"], description: "display help for command", value: "none" };

/** Every place that words can be typed at. */
export function placesOf(program: Command): Place[] {
  const visit = (command: Command, path: readonly string[], inherited: readonly Flag[]): Place[] => {
    const shown = command
      .createHelp()
      .visibleCommands(command)
      .filter(({ commands, parent }) => parent || commands);
    const own = command.options.filter(({ hidden }) => !hidden).map(flagOf);
    const flags = [...own, ...inherited];
    const commands = shown.map((one) => ({ word: one.name(), description: firstClause(one.description()) }));
    const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
    const place = { path: path.join(" "), commands, flags: [...flags, HELP], choices };
    // Options of a command are taken after its subcommands' names too, but for the program's version.
    const passed = path.length > 0 ? flags : [];
    return [place, ...shown.flatMap((one) => visit(one, [...path, one.name()], passed))];
  };
  return visit(program, [], []);
}

function flagOf({ flags, short, long, description, required, optional }: Option): Flag {
  const isFile = /<(file|path|folder)/.test(flags);
  const value = required || optional ? (isFile ? "file" : "other") : "none";
  return { names: [short, long].filter((name) => name !== undefined), description: firstClause(description), value };
}

const firstClause = (text: string): string => text.split(/[;:(]|, e\.g\.|(?<!e\.g)\.(?=\s|$)/)[0]?.trim() ?? "";

export function completionFor(shell: Shell, program: Command): string {
  const places = placesOf(program);
  return shell === "fish" ? fish(places) : shell === "zsh" ? zsh(places) : bash(places);
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const named = (flags: readonly Flag[], value: Flag["value"]): string =>
  flags.flatMap((flag) => (flag.value === value ? flag.names : [])).join(" ");

function bash(places: readonly Place[]): string {
  const cases = places.map(({ path, commands, flags, choices }) => {
    const words = [...commands.map(({ word }) => word), ...choices].join(" ");
    const all = flags.flatMap(({ names }) => names).join(" ");
    return `    ${quote(path)}) commands=${quote(words)} flags=${quote(all)} files=${quote(named(flags, "file"))} valued=${quote(named(flags, "other"))} ;;`;
  });
  return `# bash completion for skerry
_skerry_at() {
  commands= flags= files= valued=
  case "$1" in
${cases.join("\n")}
  esac
}
_skerry() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path='' commands flags files valued word skip='' i
  _skerry_at ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n $skip ]]; then skip=''; continue; fi
    case " $files $valued " in *" $word "*) skip=1; continue ;; esac
    case " $commands " in *" $word "*) path="\${path:+$path }$word"; _skerry_at "$path" ;; esac
  done
  COMPREPLY=()
  case " $files " in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case " $valued " in *" $previous "*) return ;; esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$commands" -- "$current")) ;;
  esac
}
complete -o bashdefault -o default -F _skerry skerry
`;
}

/** By zsh's own reading of bash's completions. */
const zsh = (places: readonly Place[]): string => `#compdef skerry
autoload -U +X bashcompinit && bashcompinit
${bash(places)}`;

function fish(places: readonly Place[]): string {
  const valued = [...new Set(places.flatMap(({ flags }) => flags.filter(({ value }) => value !== "none")))];
  const skipped = [...new Set(valued.flatMap(({ names }) => names))].join(" ");
  const lines = places.flatMap(({ path, commands, flags, choices }) => {
    const head = `complete -c skerry -n ${quote(`__skerry_at ${quote(path)}`)}`;
    const words = [...commands, ...choices.map((word) => ({ word, description: "" }))];
    return [
      ...words.map(({ word, description }) => `${head} -f -a ${quote(word)} -d ${quote(description)}`),
      ...flags.map(({ names, description, value }) => {
        const name = names.map((one) => (one.startsWith("--") ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`)).join(" ");
        const needs = { none: " -f", file: " -r -F", other: " -x" }[value];
        return `${head} ${name}${needs} -d ${quote(description)}`;
      }),
    ];
  });
  const paths = places.map(({ path }) => quote(path)).join(" ");
  return `# fish completion for skerry
function __skerry_at
  set -l path
  set -l skip
  for word in (commandline -opc)[2..]
    if test -n "$skip"
      set skip
    else if contains -- $word ${skipped}
      set skip 1
    else if contains -- "$path $word" ${places.map(({ path }) => quote(` ${path}`)).join(" ")}
      set path "$path $word"
    else if contains -- (string trim "$path $word") ${paths}
      set path "$path $word"
    end
  end
  test (string trim "$path") = "$argv[1]"
end
${lines.join("\n")}
`;
}
