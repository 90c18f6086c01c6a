/** What rules ask of sockets and of IPVS, which a packet does not carry: its description says it. */
import { describe, expect, it } from "vitest";
import { parsePacket } from "../src/netfilter/packet-grammar.js";
import { encodeKnown } from "../src/netfilter/packet-known.js";
import { Host, OPEN } from "./oracle/host.js";

const OUT = "udp 10.0.0.1:1000 > 198.51.100.7:53 out eth1";
const IN = "tcp 198.51.100.7:1000 > 10.0.0.1:80 in eth1";
const PASS = "tcp 198.51.100.7:1000 > 10.96.0.1:443 in eth1 out eth0";

/** Whether the condition, in a rule of its own, holds for the packet. */
function holds(chain: string, condition: string, packet: string, connections = 64): boolean {
  const host = new Host(OPEN.replace("COMMIT", `-A ${chain} ${condition} -j DROP\nCOMMIT`), { connections });
  return host.send(packet).startsWith("drop");
}

describe("owner --suppl-groups", () => {
  it.each([
    ["--gid-owner 27 --suppl-groups", "uid 1000 gid 27", true],
    ["--gid-owner 27 --suppl-groups", "uid 1000 gid 100 groups 4,24,27", true],
    ["--gid-owner 20-30 --suppl-groups", "gid 100 groups 4,31", false],
    ["--gid-owner 27", "gid 100 groups 4,24,27", false],
    ["! --gid-owner 27 --suppl-groups", "gid 100 groups 4,24,27", false],
    ["! --gid-owner 27 --suppl-groups", "gid 100 groups 4", true],
    ["--gid-owner 27 --suppl-groups", "", false],
  ])("%s for a packet with %j: %s", (condition, said, expected) => {
    expect(holds("OUTPUT", `-m owner ${condition}`, `${OUT} ${said}`)).toBe(expected);
  });
});

describe("cgroup", () => {
  it.each([
    ["--cgroup 5", "cgroup 5", true],
    ["--cgroup 5", "cgroup 0x50005", false],
    ["! --cgroup 5", "cgroup 6", true],
    ["--cgroup 0", "uid 0", true],
    ["--cgroup 0", "", false],
    ["! --cgroup 5", "", false],
    ["--path system.slice", "cgpath /system.slice/ssh.service", true],
    ["--path /system.slice//ssh.service/", "cgpath system.slice/ssh.service", true],
    ["--path system.slice/ssh.service", "cgpath system.slice", false],
    ["--path system.slice/ssh", "cgpath system.slice/ssh.service", false],
    ["--path system", "cgpath system.slice", false],
    ["! --path system", "cgpath system.slice", true],
    ["--path /", "uid 0", true],
    ["--path user.slice", "uid 0", false],
    ["! --path user.slice", "", false],
  ])("%s for a packet with %j: %s", (condition, said, expected) => {
    expect(holds("OUTPUT", `-m cgroup ${condition}`, `${OUT} ${said}`)).toBe(expected);
  });
});

describe("socket", () => {
  it.each([
    ["", "socket plain", true],
    ["", "uid 33", true],
    ["", "", false],
    ["", "socket wildcard", false],
    ["--nowildcard", "socket wildcard", true],
    ["--transparent", "socket plain", false],
    ["--transparent", "socket transparent", true],
    ["--transparent", "socket transparent,wildcard", false],
    ["--transparent --nowildcard", "socket transparent,wildcard", true],
  ])("%s for a packet with %j: %s", (condition, said, expected) => {
    expect(holds("INPUT", `-m socket ${condition}`, `${IN} ${said}`)).toBe(expected);
  });

  it("gives the packet the socket's mark where it matches, whatever the rest of the rule says", () => {
    const marks = (said: string) => {
      const rules = "-A INPUT -m socket --restore-skmark -m ttl --ttl-eq 1\n-A INPUT -m mark --mark 7 -j DROP";
      return new Host(OPEN.replace("COMMIT", `${rules}\nCOMMIT`)).send(`${IN} mark 9 ${said}`).startsWith("drop");
    };
    expect(marks("socket plain skmark 7")).toBe(true);
    expect(marks("socket wildcard skmark 7")).toBe(false);
  });
});

describe("ipvs", () => {
  it.each([
    ["--ipvs", "ipvs", true],
    ["--ipvs", "vaddr 10.96.0.1", true],
    ["! --ipvs", "ipvs", false],
    ["! --ipvs", "", true],
    ["--vproto tcp", "vport 443", true],
    ["--vproto tcp", "ipvs", false],
    ["! --vproto udp", "vport 443", true],
    ["--vaddr 10.96.0.0/16", "vaddr 10.96.0.1", true],
    ["! --vaddr 10.96.0.0/16", "vaddr 10.96.0.1", false],
    ["--vport 443", "vaddr 10.96.0.1 vport 443", true],
    ["--vport 443 --vaddr 10.96.0.2", "vaddr 10.96.0.1 vport 443", false],
    ["--vmethod GATE", "vmethod GATE", true],
    ["! --vmethod GATE", "vport 443", true],
    ["--vportctl 21", "vport 20 vportctl 21", true],
    ["--vportctl 21", "vport 20", false],
    ["! --vportctl 21", "vport 20", true],
    ["! --vportctl 21", "ipvs", false],
    ["--vdir ORIGINAL", "vport 443", true],
    ["--vdir REPLY", "vport 443", false],
  ])("%s for a packet with %j: %s", (condition, said, expected) => {
    expect(holds("FORWARD", `-m ipvs ${condition}`, `${PASS} ${said}`)).toBe(expected);
  });

  it("knows a packet's direction where connections are tracked, and is refused elsewhere", () => {
    expect(() => holds("FORWARD", "-m ipvs --vdir REPLY", PASS, 0)).toThrow(/tracks connections \(--track\)/);
  });
});

describe("what a description says of sockets and IPVS", () => {
  it.each([
    [`${OUT} groups 4,x`, 53],
    [`${OUT} socket listening`, 53],
    [`${OUT} vaddr fd00::1`, 52],
    [`${OUT} vmethod NAT`, 54],
  ])("is refused where it is wrong: %s", (text, column) => {
    expect(() => parsePacket(text)).toThrow(expect.objectContaining({ column }));
  });

  it("is refused where it does not fit", () => {
    const packet = parsePacket(OUT);
    expect(() => encodeKnown({ ...packet, groups: Array.from({ length: 65 }, () => 1) })).toThrow();
    expect(() => encodeKnown({ ...packet, cgroupPath: "a".repeat(512) })).toThrow();
    expect(() => encodeKnown({ ...packet, ipvsPort: 65536 })).toThrow();
    expect(encodeKnown(packet)).toBeUndefined();
  });
});
