#!/usr/bin/env node
/**
 * `kubectl skerry …`: the same commands, of the cluster that kubectl means. kubectl finds the program by its name, and
 * hands over all that comes after its own: https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
 */
import { rearranged } from "./local/kubectl-arguments.ts";
import { BY_KUBECTL } from "./local/reach.ts";

process.env[BY_KUBECTL] = "1";
process.argv.splice(2, Number.POSITIVE_INFINITY, ...rearranged(process.argv.slice(2)));
await import("./main.ts");
