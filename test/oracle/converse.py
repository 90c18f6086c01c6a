"""A router between tun devices, inside the network namespace it is started in: who sends what, and what the others get.

Reads a JSON object from standard input: setup (shell commands), devices with their addresses, and rounds of family, text
(for iptables-restore) and steps. A step is a packet of a talk: device and hexadecimal bytes where its opener sends, else
what the other end answers to the last packet of the talk that it got: TCP flags, or null. Writes a list of rounds: what
iptables-restore said, what each step's receiver got (device and bytes, or null), iptables-save --counters, conntrack -L.
"""
import fcntl
import json
import os
import struct
import subprocess
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
ANSWERS = {8: 0, 128: 129}


def run(command):
    return subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


def make_device(name, addresses):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    run(f"sysctl -qw net.ipv6.conf.{name}.addr_gen_mode=1 net.ipv6.conf.{name}.accept_dad=0")
    run(f"sysctl -qw net.ipv4.conf.{name}.rp_filter=0 net.ipv4.conf.{name}.send_redirects=0")
    run(f"ip link set {name} multicast off; ip link set {name} up")
    for address in addresses:
        run(f"ip addr add {address} dev {name}")
    return device


def received(devices):
    """The one packet that came out somewhere."""
    found = None
    for name, device in devices.items():
        try:
            while True:
                found = [name, os.read(device, 65536)]
        except BlockingIOError:
            pass
    return found


def answer(packet, flags):
    bytes_ = bytearray(packet)
    ipv4 = bytes_[0] >> 4 == 4
    header, at, width = (20, 12, 4) if ipv4 else (40, 8, 16)
    bytes_[at : at + 2 * width] = packet[at + width : at + 2 * width] + packet[at : at + width]
    protocol = bytes_[9 if ipv4 else 6]
    if protocol in (6, 17):
        bytes_[header : header + 4] = packet[header + 2 : header + 4] + packet[header : header + 2]
    else:
        bytes_[header] = ANSWERS[bytes_[header]]
    if protocol == 6:
        bytes_[header + 13] = flags
    return bytes(bytes_)


def converse(devices, steps):
    last = {}
    for step in steps:
        if "device" in step:
            os.write(devices[step["device"]], bytes.fromhex(step["bytes"]))
        elif step["talk"] in last:
            name, packet = last[step["talk"]]
            os.write(devices[name], answer(packet, step["flags"]))
        got = received(devices)
        if got and "device" in step:
            last[step["talk"]] = got
        yield got and [got[0], got[1].hex()]


def play(orders):
    run(orders["setup"])
    devices = {name: make_device(name, addresses) for name, addresses in orders["devices"].items()}
    run(orders["routes"])
    for order in orders["rounds"]:
        tool = "iptables-legacy" if order["family"] == "ipv4" else "ip6tables-legacy"
        loaded = subprocess.run([f"{tool}-restore"], input=order["text"].encode(), stderr=subprocess.PIPE)
        run("conntrack -F")
        received(devices)
        steps = list(converse(devices, order["steps"]))
        # The listing comes first: saving takes a moment.
        listed = run(f"conntrack -L -f {order['family']}")
        yield {"said": loaded.stderr.decode() if loaded.returncode else "", "steps": steps,
               "saved": run(f"{tool}-save --counters"), "listed": listed}


json.dump(list(play(json.load(sys.stdin))), sys.stdout)
