/** Connections and NAT: what the first packet decides, and what becomes of those that follow. */
import { describe, expect, it } from "vitest";
import { Host, nat, OPEN } from "./oracle/host.js";

describe("a tracked connection", () => {
  it("goes from NEW to ESTABLISHED with the first answer, and is assured when TCP's handshake is done", () => {
    const host = new Host(OPEN);
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 syn")).toBe(
      "accept 10.0.0.9:1000 > 198.51.100.7:80 NEW",
    );
    expect(host.list()).toEqual([
      "tcp      6 120 SYN_SENT src=10.0.0.9 dst=198.51.100.7 sport=1000 dport=80 [UNREPLIED] src=198.51.100.7 dst=10.0.0.9 sport=80 dport=1000 mark=0 use=1",
    ]);
    expect(host.send("tcp 198.51.100.7:80 > 10.0.0.9:1000 in eth0 out eth1 syn ack")).toContain("ESTABLISHED");
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 ack")).toContain("ESTABLISHED");
    expect(host.list()).toEqual([
      "tcp      6 432000 ESTABLISHED src=10.0.0.9 dst=198.51.100.7 sport=1000 dport=80 src=198.51.100.7 dst=10.0.0.9 sport=80 dport=1000 [ASSURED] mark=0 use=1",
    ]);
  });

  it("is INVALID where TCP's flags or state do not allow the packet", () => {
    const host = new Host(OPEN);
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 syn fin")).toContain("INVALID");
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 syn ack")).toContain("INVALID");
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 rst")).toContain("INVALID");
    expect(host.list()).toEqual([]);
  });

  it("is picked up in its middle", () => {
    const host = new Host(OPEN);
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 ack")).toContain("NEW");
    expect(host.list()[0]).toContain("tcp      6 300 ESTABLISHED");
  });

  it("is INVALID where its opener answers its own SYN behind the handshake", () => {
    const host = new Host(OPEN);
    const opener = "tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0";
    host.send(`${opener} syn`);
    host.send("tcp 198.51.100.7:80 > 10.0.0.9:1000 in eth0 out eth1 syn ack");
    host.send(`${opener} ack`);
    expect(host.send(`${opener} syn ack`)).toContain("INVALID");
  });

  it("is gone with a reset by its opener before any answer", () => {
    const host = new Host(OPEN);
    host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 syn");
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 rst")).toMatch(/^accept/);
    expect(host.list()).toEqual([]);
  });

  it("stays closed for a SYN of the end that did not reset it, and begins anew for one of the end that did", () => {
    const host = new Host(OPEN);
    const [opener, other] = [
      "tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0",
      "tcp 198.51.100.7:80 > 10.0.0.9:1000 in eth0 out eth1",
    ];
    host.send(`${opener} syn`);
    host.send(`${other} syn ack`);
    host.send(`${other} rst ack`);
    host.send(`${opener} syn`);
    expect(host.send(`${other} syn ack`)).toContain("ESTABLISHED");
    expect(host.list()[0]).toContain(" CLOSE ");
    host.send(`${opener} rst`);
    expect(host.send(`${opener} syn`)).toContain("NEW");
    expect(host.list()[0]).toContain(" SYN_SENT ");
  });

  it("expires by the packets' clock", () => {
    const host = new Host(OPEN);
    host.send("udp 10.0.0.9:1000 > 198.51.100.7:53 in eth1 out eth0");
    expect(host.send("udp 198.51.100.7:53 > 10.0.0.9:1000 in eth0 out eth1", 29_999)).toContain("ESTABLISHED");
    expect(host.send("udp 198.51.100.7:53 > 10.0.0.9:1000 in eth0 out eth1", 29_999 + 120_001)).toContain("NEW");
  });

  it("is not begun for a dropped packet", () => {
    const host = new Host(OPEN.replace("COMMIT", "-A FORWARD -p udp -j DROP\nCOMMIT"));
    expect(host.send("udp 10.0.0.9:1000 > 198.51.100.7:53 in eth1 out eth0")).toMatch(/^drop/);
    expect(host.list()).toEqual([]);
  });

  it("makes room in a full table only while it is not assured", () => {
    const host = new Host(OPEN, { connections: 8 });
    for (let port = 1; port <= 20; port++)
      expect(host.send(`udp 10.0.0.9:${port} > 198.51.100.7:53 in eth1 out eth0`)).toMatch(/^(accept|drop)/);
    expect(host.list().length).toBeLessThanOrEqual(8);
  });

  it("is UNTRACKED behind NOTRACK, and INVALID in raw", () => {
    const host = new Host(
      `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p udp -m conntrack --ctstate NEW -j DROP\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n${OPEN}`,
    );
    expect(host.send("udp 10.0.0.9:1 > 198.51.100.7:53 in eth1 out eth0")).toBe(
      "accept 10.0.0.9:1 > 198.51.100.7:53 UNTRACKED",
    );
    expect(host.list()).toEqual([]);
  });

  it("keeps its mark for later packets of both directions", () => {
    const host = new Host(
      `*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -i eth1 -m conntrack --ctstate NEW -j CONNMARK --set-mark 7\n-A FORWARD -m connmark --mark 7 -m conntrack --ctstate ESTABLISHED -j DROP\nCOMMIT\n${OPEN}`,
    );
    expect(host.send("udp 10.0.0.9:1 > 198.51.100.7:53 in eth1 out eth0")).toMatch(/^accept/);
    expect(host.send("udp 198.51.100.7:53 > 10.0.0.9:1 in eth0 out eth1")).toMatch(/^drop/);
  });
});

describe("the conntrack match", () => {
  it("takes a direction or a protocol alone", () => {
    const host = new Host(
      OPEN.replace(
        "COMMIT",
        "-A FORWARD -m conntrack --ctproto 6 -j DROP\n-A FORWARD -m conntrack --ctdir REPLY -j DROP\nCOMMIT",
      ),
    );
    expect(host.send("tcp 10.0.0.9:1 > 198.51.100.7:80 in eth1 out eth0 syn")).toMatch(/^drop/);
    expect(host.send("udp 10.0.0.9:1 > 198.51.100.7:53 in eth1 out eth0")).toMatch(/^accept/);
    expect(host.send("udp 198.51.100.7:53 > 10.0.0.9:1 in eth0 out eth1")).toMatch(/^drop/);
  });

  it("sees the addresses and ports before and behind NAT, and the direction", () => {
    const host = new Host(
      `${nat("-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.9:8080")}`.replace(
        "COMMIT",
        [
          "-A FORWARD -m conntrack --ctdir REPLY --ctorigdst 192.0.2.1 --ctorigdstport 80 --ctreplsrc 10.0.0.9 --ctproto 6 -j DROP",
          "-A FORWARD -m conntrack --ctdir ORIGINAL ! --ctreplsrcport 8080 -j DROP",
          "COMMIT",
        ].join("\n"),
      ),
    );
    expect(host.send("tcp 198.51.100.7:1000 > 192.0.2.1:80 in eth0 out eth1 syn")).toMatch(/^accept/);
    expect(host.send("tcp 10.0.0.9:8080 > 198.51.100.7:1000 in eth1 out eth0 syn ack")).toMatch(/^drop/);
  });
});

describe("NAT", () => {
  it("rewrites the answers of a redirected connection back", () => {
    const host = new Host(
      nat("-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.9:8080"),
    );
    expect(host.send("tcp 198.51.100.7:1000 > 192.0.2.1:80 in eth0 out eth1 syn")).toBe(
      "accept 198.51.100.7:1000 > 10.0.0.9:8080 NEW,DNAT",
    );
    expect(host.send("tcp 10.0.0.9:8080 > 198.51.100.7:1000 in eth1 out eth0 syn ack")).toBe(
      "accept 192.0.2.1:80 > 198.51.100.7:1000 ESTABLISHED,DNAT",
    );
    expect(host.send("tcp 198.51.100.7:1000 > 192.0.2.1:80 in eth0 out eth1 ack")).toBe(
      "accept 198.51.100.7:1000 > 10.0.0.9:8080 ESTABLISHED,DNAT",
    );
  });

  it("masquerades with the address of the way out, and drops where that has none", () => {
    const host = new Host(nat("-A POSTROUTING -o eth0 -j MASQUERADE", "-A POSTROUTING -o wlan0 -j MASQUERADE"));
    expect(host.send("udp 10.0.0.9:1000 > 198.51.100.7:53 in eth1 out eth0")).toBe(
      "accept 192.0.2.1:1000 > 198.51.100.7:53 NEW,SNAT",
    );
    expect(host.send("udp 198.51.100.7:53 > 192.0.2.1:1000 in eth0 out eth1")).toBe(
      "accept 198.51.100.7:53 > 10.0.0.9:1000 ESTABLISHED,SNAT",
    );
    expect(host.send("udp 10.0.0.9:1000 > 198.51.100.8:53 in eth1 out wlan0")).toMatch(/^drop/);
  });

  it("gives a second connection another port where the first has taken it", () => {
    const host = new Host(nat("-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1"));
    expect(host.send("udp 10.0.0.8:1000 > 198.51.100.7:53 in eth1 out eth0")).toContain("192.0.2.1:1000 >");
    const second = host.send("udp 10.0.0.9:1000 > 198.51.100.7:53 in eth1 out eth0");
    expect(second).toMatch(/^accept 192\.0\.2\.1:\d+ > 198\.51\.100\.7:53 NEW,SNAT$/);
    expect(second).not.toContain("192.0.2.1:1000 ");
    const port = Number(/192\.0\.2\.1:(\d+)/.exec(second)?.[1]);
    expect(port).toBeGreaterThanOrEqual(600);
    expect(port).toBeLessThanOrEqual(1023);
  });

  it("keeps ports in a range, and drops nothing when they are used up before 65,536", () => {
    const host = new Host(nat("-A POSTROUTING -o eth0 -p udp -j SNAT --to-source 192.0.2.1:5000-5003"));
    const ports = [1, 2, 3, 4].map(
      (i) => /:(\d+) >/.exec(host.send(`udp 10.0.0.${10 + i}:1000 > 198.51.100.7:53 in eth1 out eth0`))?.[1],
    );
    expect(new Set(ports)).toEqual(new Set(["5000", "5001", "5002", "5003"]));
  });

  it("redirects to the address of the interface that the packet came in by", () => {
    const host = new Host(nat("-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128"));
    expect(host.send("tcp 10.0.0.9:1000 > 198.51.100.7:80 in eth1 out eth0 syn")).toBe(
      "accept 10.0.0.9:1000 > 10.0.0.1:3128 NEW,DNAT",
    );
  });

  it("maps the same client to the same address of a range", () => {
    const host = new Host(nat("-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.10-192.0.2.13 --persistent"));
    const sources = new Set(
      [1, 2, 3].map(
        (port) =>
          /^accept ([\d.]+):/.exec(
            host.send(`udp 10.0.0.9:${1000 + port} > 198.51.100.${port}:53 in eth1 out eth0`),
          )?.[1],
      ),
    );
    expect(sources.size).toBe(1);
  });

  it("chooses an IPv6 destination of a range as Linux does", () => {
    const range = "-A PREROUTING -d 2001:db8::1/128 -j DNAT --to-destination fd00:1::80-fd00:1::86";
    const host = new Host(nat(range), {}, "ipv6");
    host.send("tcp [fd00:1::9]:600 > [2001:db8::1]:80 in eth1 out eth1 syn");
    expect(host.list()[0]).toContain("src=fd00:1::81 dst=fd00:1::9 ");
  });

  it("rewrites an echo's identifier where two clients use the same", () => {
    const host = new Host(nat("-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1"));
    host.send("icmp 10.0.0.8 > 198.51.100.7 type 8 in eth1 out eth0", 0, 77);
    host.send("icmp 10.0.0.9 > 198.51.100.7 type 8 in eth1 out eth0", 0, 77);
    const ids = host.list().map((line) => /id=(\d+) mark/.exec(line)?.[1]);
    expect(new Set(ids).size).toBe(2);
  });
});
