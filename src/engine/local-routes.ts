/** The routes that the kernel makes of its own addresses, in its table local (fib_add_ifaddr, addrconf_prefix_route). */
import ipaddr from "ipaddr.js";
import type { Family } from "../ruleset/row-store.js";
import type { InterfaceAddress, Route, Routing } from "./routing.js";

export function localRoutes(addresses: readonly InterfaceAddress[], family: Family, routing: Routing): Route[] {
  const route = (type: "local" | "broadcast" | "anycast", address: string, prefix: number, device: string): Route => ({
    family,
    type,
    destination: { address, prefix },
    hops: [{ device }],
    table: "local",
  });
  const all = family === "ipv4" ? 32 : 128;
  const routes: Route[] = [family === "ipv4" ? route("local", "127.0.0.0", 8, "lo") : route("local", "::1", 128, "lo")];
  for (const own of addresses) {
    if (ipaddr.parse(own.address).kind() !== family) continue;
    const device = own.interface ?? "";
    const prefix = own.prefix ?? all;
    routes.push(route("local", own.address, all, device));
    if (family === "ipv4") {
      const last = prefix < 31 ? ipaddr.IPv4.broadcastAddressFromCIDR(`${own.address}/${prefix}`).toString() : "";
      for (const address of new Set([own.broadcast ?? "", last]))
        if (address !== "" && address !== "255.255.255.255") routes.push(route("broadcast", address, 32, device));
    } else if (prefix < 127 && routing.forwards !== false && routing.routes) {
      const network = ipaddr.IPv6.networkAddressFromCIDR(`${own.address}/${prefix}`).toString();
      if (network !== own.address) routes.push(route("anycast", network, 128, device));
    }
  }
  return routes;
}
