/** `ruleswap trace`, as a person runs it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandsIn } from "./command-line.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

const ruleswap = commandsIn(folder);

function trace(rules: string, ...args: string[]) {
  writeFileSync(join(folder, "rules.v4"), rules);
  return ruleswap("trace", "rules.v4", ...args);
}

const ROUTER = `*mangle
-A PREROUTING -j MARK --set-mark 7
COMMIT
*nat
-A PREROUTING -d 203.0.113.1 -p tcp --dport 80 -j DNAT --to 10.0.0.5:8080
COMMIT
*filter
-P FORWARD DROP
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -p tcp --dport 8080 -j ACCEPT
COMMIT
`;
const REQUEST = "tcp 198.51.100.7:40000 > 203.0.113.1:80 in eth0 syn";
const REPLY = "tcp 10.0.0.5:8080 > 198.51.100.7:40000 in eth1 syn ack";

describe("trace", () => {
  it("lists connections by policies of timeouts that a file of nfct's names, and tracks because of it", async () => {
    const rules = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j CT --timeout slow\nCOMMIT\n";
    const file = join(folder, "slow.nfct");
    writeFileSync(file, ".slow = {\n.l3proto = 2,\n.l4proto = 17,\n.policy = {\n.UNREPLIED = 77,\n},\n};\n");
    const sent = ["--packet", "udp 192.0.2.1:1 > 192.0.2.2:2 in eth0", "--nfct", file];
    expect((await trace(rules, ...sent)).status).toBe(0);
    expect((await trace(rules, ...sent, "--connections")).stdout).toContain("udp      17 77 src=192.0.2.1");
    expect(await trace(rules, ...sent, "--no-track")).toMatchObject({ status: 2, stdout: "" });
  });

  it("answers first, then shows each rule that matched with its line", async () => {
    const rules = "*filter\n:A - [0:0]\n-A INPUT -s 192.0.2.1 -j A\n-A A -p udp -j ACCEPT\n-A A -j DROP\nCOMMIT\n";
    const packet = "tcp 192.0.2.1:1 > 192.0.2.2:2 in eth0";
    expect(await trace(rules, "--packet", packet, "--local", "192.0.2.2")).toEqual({
      status: 0,
      stdout: [
        packet,
        "DROP by INPUT filter A rule 2, line 5, NEW",
        "  INPUT filter",
        "    3  -A INPUT -s 192.0.2.1/32 -j A",
        "    5  -A A -j DROP",
        "",
      ].join("\n"),
      stderr: "",
    });
  });

  it("says why a packet does not reach INPUT where nobody told which addresses are the machine's", async () => {
    const rules = "*filter\n-A INPUT -j DROP\nCOMMIT\n";
    const toldBy = async (packet: string, ...args: string[]) =>
      (await trace(rules, "--packet", packet, ...args)).stderr;
    const packet = "tcp 192.0.2.1:1 > 192.0.2.2:2 in eth0";
    expect(await toldBy(packet)).toMatch(/^what comes in is forwarded: .*--local/);
    expect(await toldBy(packet, "--local", "192.0.2.2")).toBe("");
    expect(await toldBy(`${packet} hook INPUT`)).toBe("");
    expect(await toldBy("tcp 192.0.2.1:1 > 192.0.2.2:2 out eth0")).toBe("");
  });

  it("shows what a rule changed behind it", async () => {
    const { stdout } = await trace(ROUTER, "--packet", REQUEST);
    const lines = stdout.split("\n").map((line) => line.trim());
    expect(lines[1]).toBe("ACCEPT, to 10.0.0.5:8080, mark 0x7, NEW");
    expect(lines[lines.findIndex((line) => line.includes("-j MARK")) + 1]).toBe("mark 0x0 → 0x7");
    expect(lines[lines.findIndex((line) => line.includes("-j DNAT")) + 1]).toBe(
      "destination 203.0.113.1:80 → 10.0.0.5:8080",
    );
  });

  it("lists the connections that packets leave behind", async () => {
    const { stdout } = await trace(ROUTER, "--packet", REQUEST, "--connections");
    expect(stdout.trim().split("\n").at(-1)).toMatch(/^tcp +6 120 SYN_SENT src=\S+ dst=\S+ .* \[UNREPLIED\] .* use=1$/);
    expect((await trace(ROUTER, "--packet", REQUEST, "--connections", "--no-track")).status).toBe(2);
  });

  it("knows the reply to a packet before it, and undoes NAT for it", async () => {
    const { stdout } = await trace(ROUTER, "--packet", REQUEST, "--packet", REPLY);
    const [, reply = ""] = stdout.split("\n\n");
    expect(reply).toMatch(/^tcp 10\.0\.0\.5.*\nACCEPT, from 203\.0\.113\.1:80, mark 0x7, ESTABLISHED\n/);
    expect(reply).toMatch(/--ctstate ESTABLISHED -j ACCEPT/);
    const { stdout: alone } = await trace(ROUTER, "--packet", REQUEST, "--packet", REPLY, "--no-track");
    expect(alone).toMatch(/\nDROP by FORWARD filter FORWARD policy, mark 0x7, NEW\n/);
  });

  it("writes the same as JSON", async () => {
    const { stdout } = await trace(ROUTER, "--packet", REQUEST, "--json", "-");
    const { schema, packets } = JSON.parse(stdout);
    expect(schema).toBe("ruleswap.trace/1");
    expect(packets[0].result).toMatchObject({ verdict: "ACCEPT", destination: "10.0.0.5", destinationPort: 8080 });
    expect(packets[0].steps[0]).toMatchObject({ hook: "PREROUTING", table: "mangle", rule: 1, line: 2 });
    expect(packets[0].steps[0].changes).toEqual([{ what: "mark", before: "0x0", after: "0x7" }]);
  });

  it("refuses packets of both families, and a state where states are found out", async () => {
    expect(await trace(ROUTER, "--packet", REQUEST, "--packet", "udp [fd00::1]:1 > [fd00::2]:2")).toMatchObject({
      status: 2,
    });
    const stated = await trace(ROUTER, "--packet", `${REQUEST} ctstate NEW`, "--packet", REPLY);
    expect(stated).toMatchObject({ status: 2, stdout: "" });
    expect(stated.stderr).toMatch(/--no-track/);
  });

  it("takes packets from a capture, and rules see their bytes", async () => {
    const head = "d4c3b2a1 02000400 00000000 00000000 ffff0000 65000000";
    const udp = "45000021 00000000 4011 0000 c0000201 c0000202 9c40 0035 000d 0000 7365637265";
    const record = `00000000 00000000 21000000 21000000 ${udp}`;
    writeFileSync(join(folder, "x.pcap"), Buffer.from(`${head}${record}`.replace(/\s/g, ""), "hex"));
    const rules = "*filter\n-A INPUT -m string --algo bm --string secre -j DROP\nCOMMIT\n";
    const { status, stdout } = await trace(rules, "--pcap", "x.pcap", "--interface", "wan0", "--local", "192.0.2.2");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^udp 192\.0\.2\.1:40000 > 192\.0\.2\.2:53 in wan0.*\nDROP by INPUT filter INPUT rule 1, line 2/,
    );
  });
});
