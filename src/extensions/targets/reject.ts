/** -j REJECT: drop, and answer with an ICMP error or a TCP reset. */
import {
  REJECT_ICMP6_ADDR_UNREACH,
  REJECT_ICMP6_ADM_PROHIBITED,
  REJECT_ICMP6_NO_ROUTE,
  REJECT_ICMP6_POLICY_FAIL,
  REJECT_ICMP6_PORT_UNREACH,
  REJECT_ICMP6_REJECT_ROUTE,
  REJECT_ICMP6_TCP_RESET,
  REJECT_ICMP_ADMIN_PROHIBITED,
  REJECT_ICMP_HOST_PROHIBITED,
  REJECT_ICMP_HOST_UNREACHABLE,
  REJECT_ICMP_NET_PROHIBITED,
  REJECT_ICMP_NET_UNREACHABLE,
  REJECT_ICMP_PORT_UNREACHABLE,
  REJECT_ICMP_PROT_UNREACHABLE,
  REJECT_SIZE,
  REJECT_TCP_RESET,
  REJECT_WITH,
  TARGET_REJECT,
} from "../../blob/payloads.js";
import type { Keyword } from "../argument.js";
import { FORWARD, INPUT, OUTPUT, type Target } from "../extension.js";
import { onlyProtocols, PROTOCOL_TCP } from "../protocol-check.js";

/** Each answer by its name, which prints, and by its short name. */
const IPV4: readonly Keyword[] = [
  ["icmp-net-unreachable", REJECT_ICMP_NET_UNREACHABLE],
  ["net-unreach", REJECT_ICMP_NET_UNREACHABLE],
  ["icmp-host-unreachable", REJECT_ICMP_HOST_UNREACHABLE],
  ["host-unreach", REJECT_ICMP_HOST_UNREACHABLE],
  ["icmp-proto-unreachable", REJECT_ICMP_PROT_UNREACHABLE],
  ["proto-unreach", REJECT_ICMP_PROT_UNREACHABLE],
  ["icmp-port-unreachable", REJECT_ICMP_PORT_UNREACHABLE],
  ["port-unreach", REJECT_ICMP_PORT_UNREACHABLE],
  ["icmp-net-prohibited", REJECT_ICMP_NET_PROHIBITED],
  ["net-prohib", REJECT_ICMP_NET_PROHIBITED],
  ["icmp-host-prohibited", REJECT_ICMP_HOST_PROHIBITED],
  ["host-prohib", REJECT_ICMP_HOST_PROHIBITED],
  ["tcp-reset", REJECT_TCP_RESET],
  ["tcp-rst", REJECT_TCP_RESET],
  ["icmp-admin-prohibited", REJECT_ICMP_ADMIN_PROHIBITED],
  ["admin-prohib", REJECT_ICMP_ADMIN_PROHIBITED],
];
const IPV6: readonly Keyword[] = [
  ["icmp6-no-route", REJECT_ICMP6_NO_ROUTE],
  ["no-route", REJECT_ICMP6_NO_ROUTE],
  ["icmp6-adm-prohibited", REJECT_ICMP6_ADM_PROHIBITED],
  ["adm-prohibited", REJECT_ICMP6_ADM_PROHIBITED],
  ["icmp6-addr-unreachable", REJECT_ICMP6_ADDR_UNREACH],
  ["addr-unreach", REJECT_ICMP6_ADDR_UNREACH],
  ["icmp6-port-unreachable", REJECT_ICMP6_PORT_UNREACH],
  ["port-unreach", REJECT_ICMP6_PORT_UNREACH],
  ["tcp-reset", REJECT_ICMP6_TCP_RESET],
  ["icmp6-policy-fail", REJECT_ICMP6_POLICY_FAIL],
  ["policy-fail", REJECT_ICMP6_POLICY_FAIL],
  ["icmp6-reject-route", REJECT_ICMP6_REJECT_ROUTE],
  ["reject-route", REJECT_ICMP6_REJECT_ROUTE],
];

export const reject: Target = {
  name: "REJECT",
  type: TARGET_REJECT,
  size: REJECT_SIZE,
  tables: ["filter"],
  hooks: () => INPUT | FORWARD | OUTPUT,
  options: [
    {
      name: "reject-with",
      parse(argument, record, at) {
        record.bytes[at + REJECT_WITH] = argument.keyword(argument.width === 4 ? IPV4 : IPV6);
      },
    },
  ],

  finish(argument, record, at) {
    if (!argument.has("reject-with"))
      record.bytes[at + REJECT_WITH] = argument.width === 4 ? REJECT_ICMP_PORT_UNREACHABLE : REJECT_ICMP6_PORT_UNREACH;
    return REJECT_SIZE;
  },

  protocol(argument, record, at) {
    const answer = record.bytes[at + REJECT_WITH];
    return answer === REJECT_TCP_RESET || answer === REJECT_ICMP6_TCP_RESET
      ? onlyProtocols(argument, "tcp", PROTOCOL_TCP)
      : "";
  },

  print(out, record, at, rule) {
    const answer = record.bytes[at + REJECT_WITH];
    out.text(" --reject-with ");
    out.text((rule.width === 4 ? IPV4 : IPV6).find(([, value]) => value === answer)?.[0] ?? "");
  },
};
