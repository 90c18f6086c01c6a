"""A machine with tun devices, inside the network namespace it is started in: what is sent to it and by it, and where it goes.

Reads a JSON object from standard input: setup (shell commands), devices, and rounds of family, setup, text (for
iptables-restore) and packets: hexadecimal bytes with the device they come in by, or with a mark where the machine itself
sends them. Writes a list of rounds: what iptables-restore said, what `ip` prints of addresses, routes and rules, what came
out behind each packet (device and bytes), and iptables-save --counters.
"""
import json
import socket
import struct
import subprocess
import sys

from wires import make_device, packets_of, put, run

SO_MARK = 36


def received(devices):
    return [[name, packet.hex()] for name, device in devices.items() for packet in packets_of(device)]


def send(family, packet, mark):
    """As a socket sends it that has its source: one that is told all headers is routed without ports."""
    version, header = (socket.AF_INET, 20) if family == "ipv4" else (socket.AF_INET6, 40)
    at, width = (12, 4) if family == "ipv4" else (8, 16)
    source, destination = (socket.inet_ntop(version, packet[a : a + width]) for a in (at, at + width))
    ports = struct.unpack_from("!HH", packet, header)
    out = socket.socket(version, socket.SOCK_DGRAM)
    out.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
    if family == "ipv4":
        out.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, packet[1])
    else:
        out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, (packet[0] & 15) << 4 | packet[1] >> 4)
    out.bind((source, ports[0]))
    try:
        out.sendto(packet[header + 8 :], (destination, ports[1]))
    except OSError:
        pass  # No way: the packet never gets as far as a hook.
    out.close()


def play(orders):
    run(orders["setup"])
    devices = {name: make_device(name) for name in orders["devices"]}
    for order in orders["rounds"]:
        family = order["family"]
        tool, version = ("iptables-legacy", "-4") if family == "ipv4" else ("ip6tables-legacy", "-6")
        run(order["setup"])
        loaded = subprocess.run([f"{tool}-restore"], input=order["text"].encode(), stderr=subprocess.PIPE)
        run("conntrack -F")
        received(devices)
        outcome = []
        for packet in order["packets"]:
            data = bytes.fromhex(packet["bytes"])
            if "device" in packet:
                put(devices[packet["device"]], data)
            else:
                send(family, data, packet["mark"])
            outcome.append(received(devices))
        saved = run(f"{tool}-save --counters")
        yield {"said": loaded.stderr.decode() if loaded.returncode else "", "packets": outcome, "saved": saved,
               "addresses": run("ip addr"), "rules": run(f"ip {version} rule"),
               "routes": run(f"ip {version} route show table all")}


json.dump(list(play(json.load(sys.stdin))), sys.stdout)
