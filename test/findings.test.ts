import { describe, expect, it } from "vitest";
import { findings } from "../src/ruleset/check/findings.js";
import { parseRuleset } from "../src/ruleset/parse.js";
import type { Family } from "../src/ruleset/row-store.js";
import type { TableName } from "../src/ruleset/ruleset.js";

/** "shadowed web 2 < web 1, INPUT 3": kind, place, and the rules that prove it. Lines without -A are chains. */
function found(lines: readonly string[], table: TableName = "filter", family: Family = "ipv4"): string[] {
  const text = `*${table}\n${lines.map((line) => (line.startsWith(":") ? line : `-A ${line}`)).join("\n")}\nCOMMIT\n`;
  const ruleset = parseRuleset(text, { family });
  return findings(ruleset.table(table)).findings.map(({ kind, chain, rule, because, target }) => {
    const proof = because.map((place) => `${place.chain} ${place.rule}`).join(", ");
    return `${kind} ${chain} ${rule}${target ? ` to ${target}` : ""}${proof ? ` < ${proof}` : ""}`;
  });
}

const web = ":web - [0:0]";
const log = ":log - [0:0]";

describe("a rule that never matches is found", () => {
  const cases: [string, string[], string[]][] = [
    ["behind one of all packets", ["INPUT -j DROP", "INPUT -p tcp -j ACCEPT"], ["behind-end INPUT 2 < INPUT 1"]],
    ["behind RETURN", [web, "INPUT -j web", "web -j RETURN", "web -j LOG"], ["behind-end web 2 < web 1"]],
    ["behind a goto", [web, "INPUT -g web", "INPUT -j DROP", "web -p tcp -j DROP"], ["behind-end INPUT 2 < INPUT 1"]],
    [
      "behind a jump that swallows all",
      [log, "INPUT -j log", "INPUT -j DROP", "log -j LOG", "log -j DROP"],
      ["behind-end INPUT 2 < INPUT 1, log 2"],
    ],
    [
      "behind the same rule",
      ["INPUT -s 10.0.0.1 -j DROP", "INPUT -s 10.0.0.1/32 -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "in a network that is taken",
      ["INPUT -s 10.0.0.0/8 -j DROP", "INPUT -s 10.1.0.0/16 -p tcp -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "outside of an inverted network",
      ["INPUT ! -s 10.0.0.0/8 -j DROP", "INPUT -s 11.0.0.0/8 -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "in a range of addresses",
      ["INPUT -m iprange --src-range 10.0.0.5-10.0.1.9 -j DROP", "INPUT -s 10.0.0.128/25 -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "on a device that a wildcard takes",
      ["INPUT -i eth+ -j DROP", "INPUT -i eth0 -j ACCEPT", "INPUT -i ethernet+ -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1", "shadowed INPUT 3 < INPUT 1"],
    ],
    [
      "of a protocol that is taken",
      ["INPUT ! -p udp -j DROP", "INPUT -p tcp -m tcp --dport 22 -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "in a range of ports",
      [
        "INPUT -p tcp -m tcp --dport 1:1023 -j DROP",
        "INPUT -p tcp -m multiport --dports 22,80:90 -m tcp --syn -j ACCEPT",
      ],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "outside of inverted ports",
      ["INPUT -p udp -m udp ! --sport 53 -j DROP", "INPUT -p udp -m udp --sport 54: -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "with flags that a looser rule takes",
      ["INPUT -p tcp -m tcp --tcp-flags SYN,FIN SYN,FIN -j DROP", "INPUT -p tcp -m tcp --tcp-flags ALL ALL -j DROP"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "of an ICMP code",
      ["INPUT -p icmp -m icmp --icmp-type 3 -j DROP", "INPUT -p icmp -m icmp --icmp-type 3/4 -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "of any ICMP type",
      ["INPUT -p icmp -m icmp --icmp-type any -j DROP", "INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "in a state that is taken",
      ["INPUT -m state --state NEW,ESTABLISHED -j DROP", "INPUT -p tcp -m conntrack --ctstate NEW -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "with a mark that is taken",
      ["INPUT -m mark --mark 1/1 -j DROP", "INPUT -s 10.0.0.1 -m mark --mark 1/1 -j ACCEPT"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "of the same text",
      ['INPUT -m string --string "x" --algo bm -j DROP', 'INPUT -p tcp -m string --string "x" --algo bm -j ACCEPT'],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "and has a limit besides",
      ["INPUT -p tcp -j DROP", "INPUT -p tcp -m limit --limit 5/min -j LOG"],
      ["shadowed INPUT 2 < INPUT 1"],
    ],
    [
      "by two halves of a network",
      [
        "INPUT -s 10.0.0.0/9 -j DROP",
        "INPUT -p udp -j DROP",
        "INPUT -s 10.128.0.0/9 -j DROP",
        "INPUT -s 10.0.0.0/8 -j ACCEPT",
      ],
      ["shadowed INPUT 4 < INPUT 1, INPUT 3"],
    ],
    [
      "by two halves of the ports",
      [
        "INPUT -p tcp -m tcp --dport :1023 -j DROP",
        "INPUT -p tcp -m tcp --dport 1024: -j DROP",
        "INPUT -p tcp -m tcp -j ACCEPT",
      ],
      ["shadowed INPUT 3 < INPUT 1, INPUT 2"],
    ],
    [
      "by a rule and its opposite",
      ["INPUT -i eth0 -j DROP", "INPUT ! -i eth0 -p tcp -j DROP", "INPUT -p tcp -j ACCEPT"],
      ["shadowed INPUT 3 < INPUT 1, INPUT 2"],
    ],
    [
      "by all five states",
      [
        "INPUT -m state --state NEW,INVALID -j DROP",
        "INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT",
        "INPUT -m state --state UNTRACKED -j DROP",
        "INPUT -p tcp -j ACCEPT",
      ],
      ["shadowed INPUT 4 < INPUT 1, INPUT 2, INPUT 3"],
    ],
    [
      "that no packet can meet",
      [
        "INPUT -p tcp -m tcp --tcp-flags SYN ACK -j DROP",
        "INPUT ! -s 0.0.0.0/0 -j DROP",
        "INPUT -p tcp -m tcp --dport 80 -m multiport --dports 443,8443 -j DROP",
        "INPUT -m state --state NEW -m conntrack --ctstate ESTABLISHED -j DROP",
        "INPUT -m mark --mark 2/1 -j DROP",
        "INPUT -s 10.0.0.1 -m iprange ! --src-range 10.0.0.0-10.0.0.9 -j DROP",
      ],
      [1, 2, 3, 4, 5, 6].map((n) => `contradiction INPUT ${n} < INPUT ${n}`),
    ],
    [
      "that no caller's packets can meet",
      [web, "INPUT -p tcp -j web", "FORWARD -s 10.0.0.0/8 -j web", "web -s 11.0.0.0/8 -p udp -j DROP"],
      ["excluded web 1 < INPUT 1, FORWARD 1"],
    ],
    [
      "whose caller sits behind a rule that takes its packets",
      [web, "INPUT -p tcp -j DROP", "INPUT -j web", "web -p tcp -j DROP", "web -p udp -j DROP"],
      ["excluded web 1 < INPUT 1, INPUT 2"],
    ],
    [
      "on a device that its hook does not have",
      [web, "OUTPUT -j web", "web -i eth0 -j DROP", "web ! -o lo -j DROP"],
      ["excluded web 1 < OUTPUT 1"],
    ],
  ];
  for (const [what, lines, expected] of cases) it(what, () => expect(found(lines)).toEqual(expected));

  it("in IPv6 as in IPv4", () => {
    const lines = [
      "INPUT -s fd00::/17 -j DROP",
      "INPUT -s fd00:8000::/17 -j DROP",
      "INPUT -s fd00::/16 -p ipv6-icmp -j ACCEPT",
    ];
    expect(found(lines, "filter", "ipv6")).toEqual(["shadowed INPUT 3 < INPUT 1, INPUT 2"]);
  });
});

describe("nothing is claimed", () => {
  const cases: [string, string[], TableName?][] = [
    ["of a rule in front that goes on", ["INPUT -p tcp -j LOG", "INPUT -p tcp"]],
    ["of a rule that has a limit", ["INPUT -m limit --limit 5/min -j DROP", "INPUT -m limit --limit 5/min -j ACCEPT"]],
    [
      "of chance",
      [
        "INPUT -m statistic --mode nth --every 2 --packet 0 -j DROP",
        "INPUT -m statistic --mode nth --every 2 --packet 0 -j DROP",
      ],
    ],
    [
      "of lists and sets",
      [
        "INPUT -m recent --rcheck --name x -j DROP",
        "INPUT -m recent --rcheck --name x -j DROP",
        "INPUT -m set --match-set s src -j DROP",
        "INPUT -m set --match-set s src -j DROP",
      ],
    ],
    [
      "of a mark that a rule between may have set",
      [
        "PREROUTING -m mark --mark 1 -j ACCEPT",
        "PREROUTING -p tcp -j MARK --set-mark 1",
        "PREROUTING -m mark --mark 1 -j ACCEPT",
      ],
      "mangle",
    ],
    [
      "of a mark that a chain between may have set",
      [
        web,
        "PREROUTING -m mark --mark 1 -j ACCEPT",
        "PREROUTING -j web",
        "PREROUTING -m mark --mark 1 -j ACCEPT",
        "web -j MARK --set-mark 1",
      ],
      "mangle",
    ],
    [
      "of a caller's mark that the rule itself changes on the way",
      [web, "PREROUTING -m mark --mark 1 -j web", "web -j MARK --set-mark 2", "web -m mark --mark 2 -j ACCEPT"],
      "mangle",
    ],
    [
      "of a packet's type that a cluster's rule may set, in its own middle or a chain's between",
      [
        web,
        "INPUT -m pkttype --pkt-type unicast -j ACCEPT",
        "INPUT -j web",
        "INPUT -m pkttype --pkt-type unicast -j ACCEPT",
        "web -m pkttype --pkt-type multicast -m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1 -m pkttype --pkt-type unicast",
      ],
    ],
    [
      "of states in front of NOTRACK",
      [
        "PREROUTING -m state --state UNTRACKED -j ACCEPT",
        "PREROUTING -p udp -j NOTRACK",
        "PREROUTING -m state --state UNTRACKED -j ACCEPT",
      ],
      "raw",
    ],
    ["of fragments, which have no ports", ["INPUT -p tcp -m tcp -j DROP", "INPUT -p tcp -j ACCEPT"]],
    ["of either port", ["INPUT -p tcp -m multiport --ports 80 -j DROP", "INPUT -p tcp -m tcp --dport 80:81 -j ACCEPT"]],
    ["of a chain that may return", [web, "INPUT -j web", "INPUT -j DROP", "web -p tcp -j RETURN", "web -j DROP"]],
    [
      "of a goto into a chain that may return",
      [
        web,
        log,
        "INPUT -j log",
        "INPUT -j DROP",
        "log -p tcp -g web",
        "log -j DROP",
        "web -p tcp -m tcp --dport 1 -j DROP",
      ],
    ],
    ["of most states", ["INPUT -m state --state NEW,ESTABLISHED,RELATED,INVALID -j DROP", "INPUT -j ACCEPT"]],
    [
      "of MAC addresses and their opposite, as a packet may have none",
      [
        "INPUT -m mac --mac-source 00:11:22:33:44:55 -j DROP",
        "INPUT -m mac ! --mac-source 00:11:22:33:44:55 -j DROP",
        "INPUT -j ACCEPT",
      ],
    ],
    ["of a hook's own devices", ["INPUT -i eth0 -j DROP", "OUTPUT -o eth0 -j DROP"]],
  ];
  for (const [what, lines, table] of cases) it(what, () => expect(found(lines, table)).toEqual([]));

  it("of IPv6 packets that have no protocol", () => {
    expect(found(["INPUT -p tcp -j DROP", "INPUT ! -p tcp -j DROP", "INPUT -j ACCEPT"], "filter", "ipv6")).toEqual([]);
    expect(found(["INPUT -p tcp -j DROP", "INPUT ! -p tcp -j DROP", "INPUT -j ACCEPT"])).toEqual([
      "shadowed INPUT 3 < INPUT 1, INPUT 2",
    ]);
  });
});

describe("of chains it is found", () => {
  it("that no hook leads to them, directly or by others", () => {
    expect(found([web, log, "web -j log", "log -j DROP"])).toEqual([
      "unreachable-chain web 0",
      "unreachable-chain log 0",
    ]);
  });
  it("that only rules lead to them that never match", () => {
    const lines = [web, "INPUT -j ACCEPT", "INPUT -p tcp -j web", "web -j DROP"];
    expect(found(lines)).toEqual(["behind-end INPUT 2 < INPUT 1", "unreachable-chain web 0 < INPUT 2"]);
  });
  it("that they are empty and jumped to", () => {
    expect(found([web, "INPUT -p tcp -j web"])).toEqual(["jump-to-empty-chain INPUT 1 to web"]);
  });
  it("that they loop where no packet gets, and nothing else of them", () => {
    const lines = [web, log, "web -p tcp -j log", "log -p udp -j web"];
    expect(found(lines)).toEqual(["unreachable-chain web 0", "unreachable-chain log 0"]);
  });
});
