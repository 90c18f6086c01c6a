/** What `ip addr` prints: interfaces, and the addresses of those that are up. */
import type { Interface, InterfaceAddress } from "../../engine/routing.js";
import { blocksOf, type Words } from "./ip-text.js";

/** @throws RoutingTextError at the first word that does not belong there. */
export function readAddresses(
  text: string,
  { file = "addresses" }: { readonly file?: string } = {},
): { interfaces: Interface[]; addresses: InterfaceAddress[] } {
  const interfaces: Interface[] = [];
  const addresses: InterfaceAddress[] = [];
  for (const [head, ...lines] of blocksOf(text, file)) {
    const { own, up } = readInterface(head as Words);
    interfaces.push(own);
    // The kernel takes the addresses of an interface that is down out of its routes.
    for (const line of lines) {
      const address = readAddress(line, own.name);
      if (address && up) addresses.push(address);
    }
  }
  return { interfaces, addresses };
}

/** "2: eth0@if5: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP group default qlen 1000". */
function readInterface(words: Words): { own: Interface; up: boolean } {
  if (!/^\d+:$/.test(words.take())) words.fail("the number of an interface and a colon, as `ip addr` prints");
  const name =
    /^([^@]+)(?:@.*)?:$/.exec(words.value("an interface and a colon"))?.[1] ?? words.fail("a name and a colon");
  const flags = /^<(.*)>$/.exec(words.value("flags"))?.[1]?.split(",") ?? words.fail("flags in < and >");
  let mtu = 1500;
  let group = 0;
  while (words.peek !== "") {
    const word = words.take();
    if (word === "mtu") mtu = words.number(0xffffffff);
    else if (word === "group" && !words.skip("default")) group = words.number(0xffffffff);
  }
  return { own: { name, mtu, group, loopback: flags.includes("LOOPBACK") }, up: flags.includes("UP") };
}

/** "inet 172.17.0.2/16 brd 172.17.255.255 scope global secondary eth0". Other lines say nothing of addresses. */
function readAddress(words: Words, name: string): InterfaceAddress | undefined {
  const family = words.take();
  if (family !== "inet" && family !== "inet6") return undefined;
  const { address, prefix } = words.prefix();
  const own: { -readonly [Key in keyof InterfaceAddress]: InterfaceAddress[Key] } = {
    address,
    prefix,
    interface: name,
  };
  let usable = true;
  while (words.peek !== "") {
    const word = words.take();
    if (word === "brd") own.broadcast = words.address();
    // Its network is the other end's.
    else if (word === "peer") words.prefix();
    else if (word === "scope") own.narrow = ["host", "link"].includes(words.value("a scope"));
    else if (word === "secondary" || word === "temporary") own.secondary = true;
    else if (word === "deprecated") own.deprecated = true;
    else if (word === "tentative" || word === "dadfailed") usable = false;
  }
  return usable ? own : undefined;
}
