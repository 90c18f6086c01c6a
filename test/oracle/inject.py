"""Puts packets on tun devices under rulesets, inside the network namespace it is started in, and tells what was counted.

Reads a JSON object from standard input: tool (legacy or nft), devices, output (where routes lead), addresses (the
machine's), and rounds of family, text (for iptables-restore), sets (for ipset restore, or null), setup (shell commands) and
packets (device, hexadecimal bytes, milliseconds to wait before).
Writes a list of rounds: what iptables-restore said, what iptables-save --counters prints behind it, and what came out for each packet.
"""
import json
import subprocess
import sys
import time

from wires import make_device, packets_of, put, run


def received(device, version=None):
    """The last packet of this version of IP that came out; the machine may have something to say in the other."""
    found = None
    for packet in packets_of(device):
        if packet[0] >> 4 == version:
            found = packet
    return found


def forget(devices, loader):
    """No rule, no connection, no packet that was sent out is left; `loader` loaded the rules that there are."""
    if loader:
        empty = "".join(f"*{table}\nCOMMIT\n" for table in ("raw", "mangle", "nat", "filter", "security"))
        subprocess.run([loader], input=empty.encode(), check=True)
    subprocess.run(["conntrack", "-F"], stderr=subprocess.DEVNULL)
    for device in devices.values():
        received(device)


def send(devices, packet, output):
    time.sleep(packet.get("wait", 0) / 1000)
    put(devices[packet["device"]], bytes.fromhex(packet["bytes"]))
    found = received(output, int(packet["bytes"][0], 16))
    return found.hex() if found else None


def play(orders):
    run("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0")
    devices = {name: make_device(name, mtu=9000) for name in orders["devices"]}
    # The first of a device is the first given of IPv4, the last given of IPv6.
    addresses = orders["addresses"]
    lines = []
    for name in devices:
        for address in sorted(addresses, key=lambda one: -addresses.index(one) if ":" in one else addresses.index(one)):
            lines.append(f"addr add {address}/{'128' if ':' in address else '32'} dev {name}\n")
    lines.append(f"route add default dev {orders['output']}\nroute add ::/0 dev {orders['output']}\n")
    subprocess.run(["ip", "-batch", "-"], input="".join(lines).encode(), check=True)
    loader = None
    for order in orders["rounds"]:
        tool = ("iptables-" if order["family"] == "ipv4" else "ip6tables-") + orders["tool"]
        forget(devices, loader)
        loader = f"{tool}-restore"
        if order.get("sets") is not None:
            run("ipset flush; ipset destroy")
            subprocess.run(["ipset", "restore"], input=order["sets"].encode(), check=True)
        if order.get("setup"):
            run(order["setup"])
        loaded = subprocess.run([loader, "--counters"], input=order["text"].encode(), stderr=subprocess.PIPE)
        received(devices[orders["output"]])
        outputs = [send(devices, packet, devices[orders["output"]]) for packet in order["packets"]]
        saved = subprocess.run([f"{tool}-save", "--counters"], stdout=subprocess.PIPE).stdout.decode()
        sets = subprocess.run(["ipset", "save"], stdout=subprocess.PIPE).stdout.decode() if order.get("sets") is not None else ""
        yield {"sets": sets, "refused": loaded.stderr.decode() if loaded.returncode else "", "saved": saved, "outputs": outputs}


json.dump(list(play(json.load(sys.stdin))), sys.stdout)
