"""A router between tun devices lan0 and wan0, in the network namespace it is started in: segments of clients and servers.

Reads a JSON object from standard input: setup (shell commands) and rounds of family, text (for iptables-restore), sysctls,
client, server (addresses) and steps. A step: device, flags, seq and ack (each a base and an offset), window, options
(hexadecimal), times (whether to send a timestamp that echoes the last one that the sender got), data (bytes), ports. The
bases: C and S are fixed, K is the number that the last SYN ACK on lan0 had. Writes a list of rounds: what iptables-restore
said, the packets (device and bytes) that came out in each step, iptables-save --counters, conntrack -L.
"""
import json
import os
import socket
import struct
import subprocess
import sys

from wires import checksum, is_report, make_device, packets_of, run


def received(devices):
    return [(name, packet) for name, device in devices.items() for packet in packets_of(device) if not is_report(packet)]


def segment(step, source, destination, bases, echoed):
    options = bytes.fromhex(step["options"])
    if step["times"]:
        options += struct.pack(">BBBBII", 1, 1, 8, 10, 7777, echoed)
    number = lambda name: (bases[step[name][0]] + step[name][1]) & 0xFFFFFFFF
    body = bytearray(struct.pack(">HHIIBBHHH", *step["ports"], number("seq"), number("ack"),
                                 (20 + len(options)) << 2, step["flags"], step["window"], 0, 0))
    body += options + b"\0" * step["data"]
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    struct.pack_into(">H", body, 16, checksum(ends + struct.pack(">HH", 6, len(body)) + bytes(body)))
    if family == socket.AF_INET6:
        return struct.pack(">IHBB", 6 << 28, len(body), 6, 64) + ends + bytes(body)
    header = bytearray(struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 6, 0) + ends)
    struct.pack_into(">H", header, 10, checksum(bytes(header)))
    return bytes(header) + bytes(body)


def timestamp(body):
    options, at = body[20 : (body[12] >> 4) * 4], 0
    while at + 1 < len(options) and options[at] != 0:
        if options[at] == 8:
            return struct.unpack_from(">I", options, at + 2)[0]
        at += 1 if options[at] == 1 else options[at + 1]
    return 0


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
            os.write(devices[step["device"]], segment(step, *step["ends"], bases, echoes.get(step["device"], 0)))
            got = received(devices)
            for name, packet in got:
                header, hops = (20, packet[8]) if packet[0] >> 4 == 4 else (40, packet[7])
                # What is forwarded has lost a hop.
                if hops != 64:
                    continue
                body = packet[header:]
                echoes[name] = timestamp(body) or echoes.get(name, 0)
                if name == "lan0" and body[13] & 18 == 18:
                    bases["K"] = struct.unpack_from(">I", body, 4)[0]
            steps.append([[name, packet.hex()] for name, packet in got])
        listed = run(f"conntrack -L -f {order['family']}")
        yield {"said": loaded.stderr.decode() if loaded.returncode else "", "steps": steps,
               "saved": run(f"{tool}-save --counters"), "listed": listed}


json.dump(list(play(json.load(sys.stdin))), sys.stdout)
