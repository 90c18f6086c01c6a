/** `--local`, `--addresses`, `--routes`, `--rules`: what a command is told of the machine that its packets pass. */
import type { Command } from "commander";
import type { Routing } from "../engine/routing.js";
import { readAddresses } from "../netfilter/routing/ip-address.js";
import { readRoutes } from "../netfilter/routing/ip-route.js";
import { readRules } from "../netfilter/routing/ip-rule.js";
import { readInput } from "./input.js";

export interface MachineOptions {
  readonly addresses?: string[];
  readonly routes?: string[];
  readonly rules?: string[];
}

export function addMachineOptions(command: Command): Command {
  return command
    .option("--addresses <file...>", "what `ip addr` prints: interfaces, and the addresses that packets reach")
    .option(
      "--routes <file...>",
      "what `ip route` and `ip -6 route` print: where packets go, and by which interface, whatever they say themselves",
    )
    .option("--rules <file...>", "what `ip rule` and `ip -6 rule` print (default: tables local and main)");
}

/** What the files say. @throws RoutingTextError at the first word that `ip` does not print. */
export function readMachine({ addresses = [], routes, rules }: MachineOptions): Routing {
  const read = <T>(paths: readonly string[], one: (text: string, file: string) => T): T[] =>
    paths.map((path) => {
      const input = readInput(path);
      return one(new TextDecoder().decode(input.bytes), input.file);
    });
  const own = read(addresses, (text, file) => readAddresses(text, { file }));
  return {
    interfaces: own.flatMap((one) => one.interfaces),
    addresses: own.flatMap((one) => one.addresses),
    ...(routes ? { routes: read(routes, (text, file) => readRoutes(text, { file })).flat() } : {}),
    ...(rules ? { rules: read(rules, (text, file) => readRules(text, { file })).flat() } : {}),
  };
}
