import { between, pick, weighted } from "../world/random.ts";
import type { Machine } from "./machine.ts";

type Mischief = (machine: Machine) => void;

/** What befalls a machine beside commands that fail, by weight. */
const MISCHIEF: readonly (readonly [number, Mischief])[] = [
  [3, (machine) => machine.restartContainerd(between(machine.random, 500, 10_000))],
  [3, (machine) => onOne(machine, ({ task }) => task && machine.signal(task.pid, "SIGKILL"))],
  [2, (machine) => onOne(machine, (container) => machine.runOutOfMemory(container))],
  [2, (machine) => onOne(machine, (container) => machine.loseKeeper(container))],
];

function onOne(machine: Machine, body: (container: ReturnType<Machine["running"]>[number]) => void): void {
  const running = machine.running();
  if (running.length > 0) body(pick(machine.random, running));
}

/** Lets a machine's runtime be in trouble, on and off. */
export class Trouble {
  readonly #machine: Machine;
  #cancel = () => {};

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  set(on: boolean): void {
    this.#machine.troubled = on;
    this.#cancel();
    if (on) this.#later();
  }

  /** After each time that the power came back. */
  begin(): void {
    this.set(this.#machine.troubled);
  }

  #later(): void {
    const machine = this.#machine;
    if (machine.life.ended) return;
    this.#cancel = machine.life.effects.after(between(machine.random, 10_000, 120_000), () => {
      weighted(machine.random, MISCHIEF)(machine);
      this.#later();
    });
  }
}
