/** The routing image that the walk reads (blob/routing.ts), made of what is known of the machine. */
import ipaddr from "ipaddr.js";
import { FAMILY_IPV4, FAMILY_IPV6 } from "../blob/layout.js";
import * as R from "../blob/routing.js";
import { ImageWriter } from "./image-writer.js";
import { localRoutes } from "./local-routes.js";
import { writeSearch } from "./route-search.js";
import {
  type Interface,
  type InterfaceAddress,
  REVERSE_PATHS,
  type Route,
  ROUTE_TYPES,
  type Routing,
  type RoutingRule,
} from "./routing.js";

const FAMILIES = ["ipv4", "ipv6"] as const;
/** Of `ip rule` on a machine that nobody has touched. */
const USUAL_RULES = ["local", "main"];

/** The image of `routing`, to lie at `base`. */
export function routingImage(routing: Routing, base: number): Uint8Array {
  const out = new ImageWriter(base, R.ROUTING_SIZE);
  const { interfaces = [], addresses = [], routes, rules } = routing;
  const custom = rules?.some(({ table }) => !["local", "main", "default"].includes(table ?? ""));
  out.u32(
    R.ROUTING_FLAGS,
    (routes ? R.ROUTING_KNOWN : 0) |
      (routing.forwards === false ? 0 : R.ROUTING_FORWARDS) |
      (custom ? R.ROUTING_CUSTOM_RULES : 0),
  );
  out.u32(R.ROUTING_REVERSE_PATH, REVERSE_PATHS[routing.reversePath ?? "off"]);
  out.u32(R.ROUTING_INTERFACE_COUNT, interfaces.length);
  out.u32(R.ROUTING_INTERFACES, writeInterfaces(out, interfaces));
  out.u32(R.ROUTING_ADDRESS_COUNT, addresses.length);
  out.u32(R.ROUTING_ADDRESSES, writeAddresses(out, addresses));
  for (const [index, family] of FAMILIES.entries()) {
    const tables = new Map<string, Route[]>();
    for (const route of [...localRoutes(addresses, family, routing), ...(routes ?? [])])
      if (route.family === family) tables.set(tableOf(route), [...(tables.get(tableOf(route)) ?? []), route]);
    const searches = new Map([...tables].map(([name, list]) => [name, writeSearch(out, family, list)]));
    const own = (rules ?? []).filter((rule) => rule.family === family);
    const usual = USUAL_RULES.map((table, priority): RoutingRule => ({ family, priority, table }));
    const list = own.length > 0 ? own : usual;
    out.u32(R.ROUTING_LOCAL + 4 * index, searches.get("local") ?? 0);
    out.u32(R.ROUTING_MAIN + 4 * index, searches.get("main") ?? 0);
    out.u32(R.ROUTING_RULE_COUNT + 4 * index, list.length);
    out.u32(R.ROUTING_RULES + 4 * index, writeRules(out, list, searches));
  }
  out.u32(R.ROUTING_BYTES, out.end);
  return out.bytes();
}

/** The numbers that the kernel has for the names it knows. */
function tableOf({ table = "main" }: { readonly table?: string | undefined }): string {
  return ({ "255": "local", "254": "main", "253": "default" } as Record<string, string>)[table] ?? table;
}

function writeInterfaces(out: ImageWriter, interfaces: readonly Interface[]): number {
  const at = out.reserve(interfaces.length * R.INTERFACE_RECORD_SIZE);
  for (const [i, { name, group = 0, mtu = 1500, loopback }] of interfaces.entries()) {
    const record = at + i * R.INTERFACE_RECORD_SIZE;
    out.name(record + R.INTERFACE_NAME, name);
    out.u32(record + R.INTERFACE_GROUP, group);
    out.u32(record + R.INTERFACE_MTU, mtu);
    out.u32(record + R.INTERFACE_FLAGS, loopback ? R.INTERFACE_LOOPBACK : 0);
  }
  return out.address(at);
}

function writeAddresses(out: ImageWriter, addresses: readonly InterfaceAddress[]): number {
  const at = out.reserve(addresses.length * R.LOCAL_SIZE);
  for (const [i, own] of addresses.entries()) {
    const record = at + i * R.LOCAL_SIZE;
    const bytes = ipaddr.parse(own.address).toByteArray();
    out.u8(record + R.LOCAL_FAMILY, bytes.length === 4 ? FAMILY_IPV4 : FAMILY_IPV6);
    out.u8(record + R.LOCAL_PREFIX, own.prefix ?? bytes.length * 8);
    out.u8(
      record + R.LOCAL_FLAGS,
      (own.secondary ? R.LOCAL_SECONDARY : 0) |
        (own.deprecated ? R.LOCAL_DEPRECATED : 0) |
        (own.narrow ? R.LOCAL_NARROW : 0),
    );
    out.name(record + R.LOCAL_INTERFACE, own.interface ?? "");
    out.copy(record + R.LOCAL_ADDRESS, bytes);
  }
  return out.address(at);
}

function writeRules(out: ImageWriter, rules: readonly RoutingRule[], tables: ReadonlyMap<string, number>): number {
  const at = out.reserve(rules.length * R.RULE_SIZE);
  for (const [i, rule] of [...rules].sort((a, b) => a.priority - b.priority).entries()) {
    const record = at + i * R.RULE_SIZE;
    let conditions = rule.not ? R.RULE_INVERTED : 0;
    const put = (bit: number, value: unknown, write: () => void): void => {
      if (value === undefined) return;
      conditions |= bit;
      write();
    };
    const range = (field: number, [first, last]: readonly [number, number], wide: boolean): void => {
      if (wide) out.u32(record + field, first);
      else out.u16(record + field, first);
      if (wide) out.u32(record + field + 4, last);
      else out.u16(record + field + 2, last);
    };
    put(R.RULE_HAS_MARK, rule.mark, () => {
      out.u32(record + R.RULE_MARK, rule.mark ?? 0);
      out.u32(record + R.RULE_MARK_MASK, rule.markMask ?? 0xffffffff);
    });
    put(R.RULE_HAS_TOS, rule.tos, () => out.u8(record + R.RULE_TOS, rule.tos ?? 0));
    put(R.RULE_HAS_SUPPRESS, rule.suppressPrefix, () => out.u8(record + R.RULE_SUPPRESS, rule.suppressPrefix ?? 0));
    put(R.RULE_HAS_PROTOCOL, rule.protocol, () => out.u8(record + R.RULE_PROTOCOL, rule.protocol ?? 0));
    put(R.RULE_HAS_INPUT, rule.input, () => out.name(record + R.RULE_INPUT, rule.input ?? ""));
    put(R.RULE_HAS_OUTPUT, rule.output, () => out.name(record + R.RULE_OUTPUT, rule.output ?? ""));
    if (rule.sourcePorts) {
      conditions |= R.RULE_HAS_SOURCE_PORTS;
      range(R.RULE_SOURCE_PORTS, rule.sourcePorts, false);
    }
    if (rule.destinationPorts) {
      conditions |= R.RULE_HAS_DESTINATION_PORTS;
      range(R.RULE_DESTINATION_PORTS, rule.destinationPorts, false);
    }
    if (rule.users) {
      conditions |= R.RULE_HAS_USERS;
      range(R.RULE_USERS, rule.users, true);
    }
    out.u32(record + R.RULE_CONDITIONS, conditions);
    if (rule.from) out.prefix(record + R.RULE_SOURCE, rule.from.address, rule.from.prefix);
    if (rule.to) out.prefix(record + R.RULE_DESTINATION, rule.to.address, rule.to.prefix);
    if (rule.answer) {
      const route = out.reserve(R.ROUTE_SIZE);
      out.u8(route + R.ROUTE_TYPE, ROUTE_TYPES[rule.answer]);
      out.u32(record + R.RULE_ROUTE, out.address(route));
    } else out.u32(record + R.RULE_TABLE, tables.get(tableOf(rule)) ?? 0);
  }
  return out.address(at);
}
