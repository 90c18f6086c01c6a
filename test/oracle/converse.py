"""A router between tun devices, inside the network namespace it is started in: who sends what, and what the others get.

Reads a JSON object from standard input: setup (shell commands), pause (seconds between steps under connlimit), devices with
their addresses, and rounds of family, text (for iptables-restore), policies (words for nfct add timeout), sysctls and steps. A step is a packet of a talk, with a command (shell) that goes before it: device
and hexadecimal bytes where its opener sends, else what comes back to the last packet of the talk that was got: an answer,
whose transport header behind the ports is `rest`, or an ICMP error (type, code, from) about it, or about the last answer
that the opener got. Writes a list of rounds: what iptables-restore said, what each step's receiver got (device and bytes,
or null) and when it was sent (milliseconds of the round), iptables-save --counters, conntrack -L and when.
"""
import json
import socket
import struct
import subprocess
import sys
import time

from wires import checksum, is_report, make_device, packets_of, put, run, set_sysctl

ANSWERS = {8: 0, 128: 129}


def received(devices):
    """The one packet that came out somewhere."""
    found = None
    for name, device in devices.items():
        for packet in packets_of(device):
            if not is_report(packet):
                found = [name, packet]
    return found


def with_header(header, body):
    """The IP header with the body's length."""
    header = bytearray(header)
    if header[0] >> 4 == 4:
        struct.pack_into(">H", header, 2, 20 + len(body))
        struct.pack_into(">H", header, 10, 0)
        struct.pack_into(">H", header, 10, checksum(bytes(header)))
    else:
        struct.pack_into(">H", header, 4, len(body))
    return bytes(header) + body


def turned(packet):
    """The IP header of what goes back, and what is behind it."""
    header, at, width = (20, 12, 4) if packet[0] >> 4 == 4 else (40, 8, 16)
    back = bytearray(packet[:header])
    back[at : at + 2 * width] = packet[at + width : at + 2 * width] + packet[at : at + width]
    return back, packet[header:]


def answer(packet, rest):
    header, body = turned(packet)
    protocol = header[9 if packet[0] >> 4 == 4 else 6]
    if protocol in (1, 58):
        return with_header(header, bytes([ANSWERS[body[0]]]) + body[1:])
    if protocol in (6, 17, 132, 136):
        return with_header(header, body[2:4] + body[:2] + bytes.fromhex(rest))
    return with_header(header, body)


def error(packet, order):
    header, _ = turned(packet)
    ipv4 = packet[0] >> 4 == 4
    header[9 if ipv4 else 6] = 1 if ipv4 else 58
    at, width = (12, 4) if ipv4 else (8, 16)
    if order["from"]:
        header[at : at + width] = socket.inet_pton(socket.AF_INET if ipv4 else socket.AF_INET6, order["from"])
    body = bytearray([order["type"], order["code"], 0, 0, 0, 0, 0, 0]) + packet[:96]
    pseudo = b"" if ipv4 else bytes(header[8:40]) + struct.pack(">II", len(body), 58)
    struct.pack_into(">H", body, 2, checksum(pseudo + bytes(body)))
    return with_header(header, bytes(body))


def converse(devices, steps, pause, now):
    reached, answered = {}, {}
    for step in steps:
        time.sleep(pause)
        if "shell" in step:
            run(step["shell"])
        at = now()
        talk = step["talk"]
        about = answered if step.get("error", {}).get("aboutAnswer") else reached
        if "bytes" in step:
            put(devices[step["device"]], bytes.fromhex(step["bytes"]))
        elif talk in about:
            name, packet = about[talk]
            back = error(packet, step["error"]) if "error" in step else answer(packet, step["rest"])
            put(devices[name], back)
        got = received(devices)
        if got and "error" not in step:
            (reached if "bytes" in step else answered)[talk] = got
        yield {"at": at, "got": got and [got[0], got[1].hex()]}


def play(orders):
    run(orders["setup"])
    devices = {name: make_device(name) for name in orders["devices"]}
    for name, addresses in orders["devices"].items():
        for address in addresses:
            run(f"ip addr add {address} dev {name}")
    run(orders["routes"])
    policies = []
    for order in orders["rounds"]:
        # A rule of connbytes turns accounting on, so settings come first.
        for name, value in order["sysctls"].items():
            set_sysctl(f"netfilter/nf_conntrack_{name}={value}")
        # Neither family's rules hold on to the policies of the round before.
        if order["policies"] and order["policies"] != policies:
            run("iptables-legacy -t raw -F; ip6tables-legacy -t raw -F; nfct flush timeout; " + "; ".join(f"nfct add timeout {words}" for words in order["policies"]))
        tool = "iptables-legacy" if order["family"] == "ipv4" else "ip6tables-legacy"
        loaded = subprocess.run([f"{tool}-restore"], input=order["text"].encode(), stderr=subprocess.PIPE)
        run("conntrack -F")
        received(devices)
        # Within one jiffy connlimit looks its list over but once.
        begin = time.monotonic()
        now = lambda: int(1000 * (time.monotonic() - begin))
        steps = list(converse(devices, order["steps"], orders["pause"] if "connlimit" in order["text"] else 0, now))
        # A step's commands may have changed them.
        policies = [] if any("shell" in step for step in order["steps"]) else order["policies"] or policies
        # The listing comes first: saving takes a moment.
        listed_at, listed = now(), run(f"conntrack -L -f {order['family']}")
        yield {"said": loaded.stderr.decode() if loaded.returncode else "", "steps": steps,
               "saved": run(f"{tool}-save --counters"), "listed": listed, "listedAt": listed_at}


json.dump(list(play(json.load(sys.stdin))), sys.stdout)
