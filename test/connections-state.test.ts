/** What is kept of connections: counts, zones, helpers, lifetimes; what is expected, and what is forgotten. */
import { describe, expect, it } from "vitest";
import { expectConnection, forgetMasqueraded, HELPERS, listConnections } from "../src/netfilter/connections.js";
import { Updater } from "../src/update/updater.js";
import { Host, nat, OPEN } from "./oracle/host.js";

const ASK = "udp 10.0.0.9:1000 > 198.51.100.7:53 in eth1 out eth0";
const TCP_ASK = "tcp 10.0.0.9:1000 > 198.51.100.7:53 in eth1 out eth0 syn";
const OVER_TCP: ReadonlySet<string> = new Set(["ftp", "irc", "pptp", "sane", "Q.931"]);
const ANSWER = "udp 198.51.100.7:53 > 10.0.0.9:1000 in eth0 out eth1";
const raw = (...rules: string[]) =>
  `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n${OPEN}`;
const forward = (...rules: string[]) => OPEN.replace("COMMIT", `${rules.join("\n")}\nCOMMIT`);

describe("a connection", () => {
  it("counts packets and bytes where settings or a rule ask for it", () => {
    const counted =
      "udp      17 30 src=10.0.0.9 dst=198.51.100.7 sport=1000 dport=53 packets=1 bytes=60 src=198.51.100.7 dst=10.0.0.9 sport=53 dport=1000 packets=1 bytes=60 mark=0 use=1";
    for (const host of [
      new Host(OPEN, { sysctls: { acct: 1 } }),
      new Host(forward("-A FORWARD -m connbytes --connbytes 9 --connbytes-mode packets --connbytes-dir both")),
    ]) {
      host.send(ASK);
      host.send(ANSWER);
      expect(host.list()).toEqual([counted]);
    }
  });

  it("is dropped from the packet on that connbytes names", () => {
    const host = new Host(
      forward("-A FORWARD -m connbytes --connbytes 3 --connbytes-mode packets --connbytes-dir both -j DROP"),
    );
    expect([ASK, ANSWER, ASK, ANSWER].map((packet) => host.send(packet).split(" ")[0])).toEqual([
      "accept",
      "accept",
      "drop",
      "drop",
    ]);
  });

  it("has a zone for each direction, and is none in another", () => {
    const host = new Host(raw("-A PREROUTING -i eth1 -j CT --zone-orig 4"));
    host.send(ASK);
    expect(host.send(ANSWER)).toContain("ESTABLISHED");
    expect(host.list()[0]).toContain("dport=53 zone-orig=4 src=198.51.100.7");
    const both = new Host(raw("-A PREROUTING -i eth1 -j CT --zone 4"));
    both.send(ASK);
    expect(both.send(ANSWER)).toContain("NEW");
    expect(both.list().some((line) => line.endsWith("mark=0 zone=4 use=1"))).toBe(true);
  });

  it("is given the helper of the first rule that the packet meets; every helper of Linux is known", () => {
    for (const name of HELPERS) {
      const [protocol, packet] = OVER_TCP.has(name) ? ["tcp", TCP_ASK] : ["udp", ASK];
      const rules = [
        `-A PREROUTING -p ${protocol} -j CT --helper ${name}`,
        `-A PREROUTING -p ${protocol} -j CT --notrack`,
      ];
      const host = new Host(raw(...rules));
      host.send(packet);
      expect(host.list()[0]).toContain(` helper=${name} `);
    }
    expect(() => new Host(raw("-A PREROUTING -p udp -j CT --helper ftq"))).toThrow(
      'unknown object "ftq", expected a helper that Linux has for IPv4 and udp',
    );
    expect(() => new Host(raw("-A PREROUTING -p udp -j CT --timeout slow"))).toThrow();
  });

  it("lives as long as settings say, which are checked", () => {
    const host = new Host(OPEN, { sysctls: { udp_timeout: 5, tcp_loose: 0 } });
    host.send(ASK);
    expect(host.list(4000)).toHaveLength(1);
    expect(host.list(5000)).toEqual([]);
    expect(host.send("tcp 10.0.0.9:1 > 198.51.100.7:80 in eth1 out eth0 ack")).toContain("INVALID");
    expect(() => new Host(OPEN, { sysctls: { udp_timeout: -1 } })).toThrow(/udp_timeout/);
  });

  it("carries labels where a rule asked for some when it began, and keeps them", () => {
    const host = new Host(OPEN);
    const updater = new Updater(host.engine, { strategy: "full" });
    const labels = () => listConnections(host.engine, 0).map((connection) => connection.labels);
    host.send(ASK);
    updater.update({
      ruleset: forward(
        "-A FORWARD -p udp --sport 1000 -m connlabel --label 9 --set",
        "-A FORWARD -p udp --sport 1001 -m connlabel --label 127 --set",
        "-A FORWARD -p udp --sport 1001 -m connlabel ! --label 64 --set",
      ),
    });
    host.send(ASK);
    expect(labels()).toEqual([undefined]);
    host.send(ASK.replace("1000", "1001"));
    expect(labels()).toEqual([undefined, [64, 127]]);
    updater.update({ ruleset: forward("-A FORWARD -p udp --sport 1000 -m connlabel --label 9 --set") });
    host.send(ASK.replace("1000", "1002"));
    updater.update({ ruleset: OPEN });
    updater.update({ ruleset: OPEN });
    host.send(ASK.replace("1000", "1003"));
    expect(labels()).toEqual([undefined, [64, 127], [], undefined]);
    expect(() => new Host(forward("-A FORWARD -m connlabel --label 1"), { connections: 0 })).toThrow();
  });

  it("is not kept alive by a SYN that is sent again", () => {
    const host = new Host(OPEN);
    const syn = "tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 syn";
    host.send(syn);
    host.send(syn, 100_000);
    expect(host.list(119_999)).toHaveLength(1);
    expect(host.list(120_000)).toEqual([]);
  });

  it("of a network that is never counted again leaves room for others", () => {
    const host = new Host(forward("-A FORWARD -p udp -m connlimit --connlimit-above 2 --connlimit-mask 32 -j DROP"), {
      connections: 64,
    });
    const ends = Array.from({ length: 1500 }, (_, n) => {
      const source = `10.1.${n >> 8}.${n & 255}`;
      return host.send(`udp ${source}:1000 > 198.51.100.7:53 in eth1 out eth0`, 40_000 * n).split(" ")[0];
    });
    expect(ends.filter((end) => end !== "accept")).toEqual([]);
  });

  it("counts towards its network's limit as long as it is there", () => {
    const host = new Host(forward("-A FORWARD -p udp -m connlimit --connlimit-above 2 --connlimit-mask 24 -j DROP"));
    const from = (port: number, time = 0) =>
      host.send(`udp 10.0.0.9:${port} > 198.51.100.7:53 in eth1 out eth0`, time).split(" ")[0];
    expect([1, 2, 2, 3].map((port) => from(port))).toEqual(["accept", "accept", "accept", "drop"]);
    expect(from(3, 30_001)).toBe("accept");
  });
});

describe("an expected connection", () => {
  it("is RELATED once, has its master's mark, and is known by its master's helper", () => {
    const host = new Host(
      `${raw("-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp")}*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -m helper --helper ftp -j MARK --set-mark 9\n-A PREROUTING -p tcp -m tcp --dport 21 -j CONNMARK --set-mark 7\nCOMMIT\n`,
    );
    const data = "tcp 198.51.100.7:20 > 10.0.0.9:4000 in eth0 out eth1 syn";
    host.send("tcp 10.0.0.9:1000 > 198.51.100.7:21 in eth1 out eth0 syn");
    const master = {
      source: "10.0.0.9",
      sourcePort: 1000,
      destination: "198.51.100.7",
      destinationPort: 21,
      protocol: 6,
    };
    const expectation = {
      family: "ipv4",
      protocol: 6,
      master,
      source: "198.51.100.7",
      destination: "10.0.0.9",
      destinationPort: 4000,
      expires: 60_000,
    } as const;
    expect(expectConnection(host.engine, { ...expectation, master: { ...master, sourcePort: 1 } }, 0)).toBe(false);
    expect(expectConnection(host.engine, expectation, 0)).toBe(true);
    expect(host.send(data)).toContain("RELATED");
    expect(host.list().find((line) => line.includes("sport=20"))).toContain("mark=7");
    expect(host.send(data.replace(":20", ":22"))).toContain("NEW");
  });
});

describe("a source that NAT gave an address of many", () => {
  for (const zone of ["--zone 4", "--zone-orig 4", "--zone-reply 4"])
    it(`has the same one in its next connection, behind CT ${zone}`, () => {
      const tables = nat("-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.10-192.0.2.250").replace(OPEN, "");
      const host = new Host(raw(`-A PREROUTING -i eth1 -j CT ${zone}`) + tables);
      const sources = [7, 8, 9, 10, 11].map((last) => host.send(ASK.replace("100.7", `100.${last}`)).split(" ")[1]);
      expect(new Set(sources).size).toBe(1);
    });
});

describe("the share of a cluster that a connection is in", () => {
  const node = (option: string) =>
    forward(
      ...Array.from(
        { length: 32 },
        (_, n) =>
          `-A FORWARD -m cluster --cluster-total-nodes 32 ${option} ${n + 1} --cluster-hash-seed 1 -j CONNMARK --set-mark ${n + 1}`,
      ),
    );
  const marks = (host: Host) => host.list().map((line) => /sport=(\d+).* mark=(\d+)/.exec(line)?.slice(1, 3));

  it("is where it began, of what is expected where its master began, and of what nobody tracks none", () => {
    const host = new Host(node("--cluster-local-node"));
    const master = {
      source: "10.0.0.9",
      sourcePort: 1000,
      destination: "198.51.100.7",
      destinationPort: 53,
      protocol: 17,
    };
    const expectation = { family: "ipv4", protocol: 17, master, destination: "10.0.0.9", expires: 60_000 } as const;
    host.send(ASK);
    expectConnection(host.engine, { ...expectation, source: "198.51.100.7", destinationPort: 4000 }, 0);
    host.send(ANSWER.replace(":53", ":20").replace(":1000", ":4000"));
    host.send(ANSWER.replace(":53", ":21").replace(":1000", ":4000"));
    const byPort = new Map(marks(host).map((pair) => pair as [string, string]));
    expect(byPort.get("20")).toBe(byPort.get("1000"));
    expect(byPort.get("21")).not.toBe(byPort.get("1000"));
    expect([...byPort.values()]).not.toContain("0");
    const untracked = new Host(
      raw("-A PREROUTING -j CT --notrack") +
        node("! --cluster-local-node").replaceAll("CONNMARK --set-mark", "DROP -m comment --comment"),
    );
    expect(untracked.send(ASK)).toMatch(/^accept/);
    expect(() => new Host(node("--cluster-local-node"), { connections: 0 })).toThrow();
  });
});

describe("a masqueraded connection", () => {
  it("is over when it leaves by another interface, or that has lost its address", () => {
    const rules = nat("-A POSTROUTING -o eth0 -j MASQUERADE");
    const moved = new Host(rules);
    moved.send(ASK);
    expect(moved.send(ASK.replace("out eth0", "out eth2"))).toMatch(/^drop/);
    expect(moved.list()).toEqual([]);
    const lost = new Host(rules);
    lost.send(ASK);
    forgetMasqueraded(lost.engine, "eth0", "192.0.2.7");
    expect(lost.list()).toHaveLength(1);
    forgetMasqueraded(lost.engine, "eth0", "192.0.2.1");
    expect(lost.list()).toEqual([]);
  });
});

describe("TCPMSS --clamp-mss-to-pmtu", () => {
  it("lowers the size to what the way there and the way back allow", () => {
    const rules = `*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu\n-A POSTROUTING -p tcp -m tcpmss --mss 1360 -j DROP\nCOMMIT\n`;
    const interfaces = [
      { name: "eth0", mtu: 1400 },
      { name: "eth1", mtu: 9000 },
    ];
    const host = new Host(rules, { routing: { interfaces } });
    const syn = "tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 syn mss";
    expect(host.send(`${syn} 8960`)).toMatch(/^drop/);
    expect(host.send(`${syn} 1200`)).toMatch(/^accept/);
  });
});
