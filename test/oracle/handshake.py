"""A router between tun devices lan0 and wan0, in the network namespace it is started in: segments of clients and servers.

Reads a JSON object from standard input: setup (shell commands) and rounds of family, text (for iptables-restore), sysctls,
client, server (addresses) and steps. A step: device, flags, seq and ack (each a base and an offset), window, options
(hexadecimal), times (whether to send a timestamp that echoes the last one that the sender got), data (bytes), ports. The
bases: C and S are fixed, K is the number that the last SYN ACK on lan0 had. Writes a list of rounds: what iptables-restore
said, the packets (device and bytes) that came out in each step, iptables-save --counters, conntrack -L.
"""
import json
import struct
import subprocess
import sys

from segments import SYN_ACK, segment, timestamp, transport
from wires import is_report, make_device, packets_of, put, run


def received(devices):
    return [(name, packet) for name, device in devices.items() for packet in packets_of(device) if not is_report(packet)]


def play(orders):
    run("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0")
    devices = {name: make_device(name) for name in ("lan0", "wan0")}
    run(orders["setup"])
    for order in orders["rounds"]:
        tool = "iptables-legacy" if order["family"] == "ipv4" else "ip6tables-legacy"
        loaded = subprocess.run([f"{tool}-restore"], input=order["text"].encode(), stderr=subprocess.PIPE)
        run("sysctl -qw " + " ".join(f"net.netfilter.nf_conntrack_{name}={value}" for name, value in order["sysctls"].items()))
        run("conntrack -F")
        received(devices)
        bases, echoes, steps = {"C": 1000, "S": 5_000_000, "K": 77, "0": 0}, {}, []
        for step in order["steps"]:
            put(devices[step["device"]], segment(step, *step["ends"], bases, echoes.get(step["device"], 0)))
            got = received(devices)
            for name, packet in got:
                hops, body = transport(packet)
                # What is forwarded has lost a hop.
                if hops != 64:
                    continue
                echoes[name] = timestamp(body) or echoes.get(name, 0)
                if name == "lan0" and body[13] & SYN_ACK == SYN_ACK:
                    bases["K"] = struct.unpack_from(">I", body, 4)[0]
            steps.append([[name, packet.hex()] for name, packet in got])
        listed = run(f"conntrack -L -f {order['family']}")
        yield {"said": loaded.stderr.decode() if loaded.returncode else "", "steps": steps,
               "saved": run(f"{tool}-save --counters"), "listed": listed}


json.dump(list(play(json.load(sys.stdin))), sys.stdout)
