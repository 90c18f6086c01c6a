/** Lines of FTP's control connections, right and wrong, and what NAT makes of them. */
import ipaddr from "ipaddr.js";
import { ACTIVE, bytesOf, PASSIVE, type Scene } from "./control-talk.js";
import type { Random } from "./random.js";

/** Where the server is, which data come from. */
export const behind = ({ nat, server }: Scene): string => /--to-destination (\S+)/.exec(nat ?? "")?.[1] ?? server;

/** What becomes of a line that names its sender, behind NAT. */
export function rewritten(line: string, scene: Scene, answer: boolean): string {
  const from = answer ? behind(scene) : scene.client;
  const to = answer ? scene.passive.to : scene.active.to;
  if (!scene.nat || from === to) return line;
  const full = ipaddr.parse(to).toNormalizedString();
  const wide = to.includes(":")
    ? full
        .split(":")
        .map((group) => group.padStart(4, "0"))
        .join(":")
    : to;
  return line.replace(from.replaceAll(".", ","), to.replaceAll(".", ",")).replace(`|${from}|`, `|${wide}|`);
}

export function clientLine(random: Random, scene: Scene): string {
  const { client } = scene;
  const port = random.pick([ACTIVE, ACTIVE, ACTIVE + 1]);
  const version = client.includes(":") ? 2 : 1;
  const numbers = version === 1 ? bytesOf(client, port) : bytesOf("10.0.0.9", port);
  return random.pick([
    () => `PORT ${numbers}`,
    () => `port ${numbers}`,
    () => `EPRT |${version}|${client}|${port}|`,
    () => `EPRT |${version}|${client}|${port}|`,
    () => `EPRT |${version}|${random.pick(["10.9.9.9", "fd00:1::8"])}|${port}|`,
    () => `EPRT |${3 - version}|${client}|${port}|`,
    () => `EPRT |${version}|${client}|${random.pick(["0", "5121", "", "x"])}`,
    () => `PORT ${bytesOf("10.9.9.9", port)}`,
    () =>
      random.pick([
        `PORT  ${numbers}`,
        `PORT ${numbers} `,
        `PORT ${numbers},7`,
        "PORT 1,2,3",
        "PORT",
        "POR",
        "EPRT ",
        "EPRT ||||",
      ]),
    () =>
      random.pick([
        `EPRT !${version}!${client}!${port}!`,
        `EPRT |${version}|${client}|70657|`,
        "PORT 10,0,0,9,0,0",
        "PORT 010,0,0,9,20,1",
        "PORT 10,0,0,9,19,257",
      ]),
    () => random.pick(["PASV", "EPSV", "RETR file", `NOOP PORT ${numbers}`]),
  ])();
}

export function serverLine(random: Random, scene: Scene): string {
  const ipv4 = scene.family === "ipv4";
  const port = random.pick([PASSIVE, PASSIVE, PASSIVE + 1]);
  const numbers = bytesOf(ipv4 ? behind(scene) : "198.51.100.7", port);
  return random.pick([
    () => `227 Entering Passive Mode (${numbers})`,
    () => `227 Entering Passive Mode ${numbers}`,
    () => `227 =${numbers}.`,
    () => `227 Entering Passive Mode (${bytesOf("10.9.9.9", port)})`,
    () => random.pick(["227 fine", "227 ", "227", "227 (1,2,3)", "227-more", `227 (${numbers},9)`]),
    () => `229 Entering Extended Passive Mode (|||${port}|)`,
    () => `229 Entering Extended Passive Mode (|||${port}|)`,
    () => random.pick(["229 fine", "229 (|||0|)", `229 (||${port}|)`, `229 |||${port}|`, "229 (|||7685"]),
    () => `229 (!!!${port}!)`,
    () => random.pick(["200 fine", `150 227 (${numbers})`]),
  ])();
}
