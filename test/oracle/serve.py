"""A machine that listens behind SYNPROXY, in the network namespace it is started in: clients on a tun device lan0, a real server.

Reads a JSON object from standard input: setup (shell commands) and rounds of family, text (for iptables-restore), sysctls
(of conntrack, and of TCP as the server has them), ports (where it listens) and steps. A step is a client's segment, as
handshake.py has them, or what the server does (act): send (bytes), read, shut, close, abort, leave (it listens no more).
Rules of NFLOG to GROUP tell what the machine sees, by their prefixes. Writes a list of rounds: what iptables-restore said,
what NFLOG told (step, prefix and bytes) and what came out on lan0 (step and bytes), in order, how many segments TCP was
given, iptables-save --counters, conntrack -L.
"""
import json
import os
import select
import socket
import struct
import subprocess
import sys

from segments import SYN_ACK, segment, timestamp, transport
from wires import is_report, make_device, packets_of, put, run

SO_MARK, MARK, GROUP = 36, 0x77, 1
NETFILTER, LOG_PACKET, LOG_CONFIG = 12, 4 << 8, 4 << 8 | 1
COMMAND, MODE, THRESHOLD = 1, 2, 5
PAYLOAD, PREFIX = 9, 10
QUIET = 0.004


class Log:
    """What rules of NFLOG tell, at once."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
        self.socket.bind((0, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        bind = struct.pack("=HHBxxx", 5, COMMAND, 1)
        mode = struct.pack("=HHIBBxx", 10, MODE, socket.htonl(0xFFFF), 2, 0)
        threshold = struct.pack("=HHI", 8, THRESHOLD, socket.htonl(1))
        for attributes in (bind, mode + threshold):
            body = struct.pack("=BBH", 0, 0, socket.htons(GROUP)) + attributes
            self.socket.send(struct.pack("=IHHII", 16 + len(body), LOG_CONFIG, 5, 1, 0) + body)
            error = struct.unpack_from("=i", self.socket.recv(4096), 16)[0]
            if error:
                raise OSError(-error, os.strerror(-error))
        self.socket.setblocking(False)

    def take(self):
        try:
            while True:
                data = self.socket.recv(1 << 18)
                while len(data) >= 16:
                    size, kind = struct.unpack_from("=IH", data)
                    if kind == LOG_PACKET:
                        told = self.attributes(data[20:size])
                        yield told[PREFIX].rstrip(b"\0").decode(), told[PAYLOAD]
                    data = data[(size + 3) & ~3 :]
        except BlockingIOError:
            pass

    def attributes(self, data):
        found = {}
        while len(data) >= 4:
            size, kind = struct.unpack_from("=HH", data)
            found[kind & 0x7FFF] = data[4:size]
            data = data[(size + 3) & ~3 :]
        return found


class Server:
    def __init__(self, family, ports):
        version, anyone = (socket.AF_INET, "0.0.0.0") if family == "ipv4" else (socket.AF_INET6, "::")
        self.listeners, self.ends = [], []
        for port in ports:
            listener = socket.socket(version, socket.SOCK_STREAM)
            if version == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, SO_MARK, MARK)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.setblocking(False)
            listener.bind((anyone, port))
            listener.listen()
            self.listeners.append(listener)

    def accept(self):
        for listener in self.listeners:
            try:
                self.ends.append(listener.accept()[0])
                self.ends[-1].setblocking(False)
            except (BlockingIOError, ConnectionError):
                pass

    def act(self, act, size):
        if act == "leave":
            self.leave()
        for end in self.ends:
            try:
                if act == "send":
                    end.send(b"x" * size)
                elif act == "read":
                    end.recv(1 << 16)
                elif act == "shut":
                    end.shutdown(socket.SHUT_WR)
                elif act in ("close", "abort"):
                    self.end(end, act == "abort")
            except OSError:
                pass  # The client has reset it, or there is nothing to read.
        self.ends = [end for end in self.ends if end.fileno() >= 0]

    def end(self, end, reset):
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()

    def leave(self):
        for listener in self.listeners:
            listener.close()
        self.listeners = []


class Round:
    """What comes of each step: [step, prefix, bytes], where it came out without a prefix."""

    def __init__(self, server, device, log):
        self.server, self.device, self.log = server, device, log
        self.bases, self.echoed, self.told = {"C": 1000, "K": 77, "0": 0}, 0, []

    def play(self, number, step):
        if "act" in step:
            self.server.act(step["act"], step.get("size", 0))
        else:
            put(self.device, segment(step, *step["ends"], self.bases, self.echoed))
        self.listen(number)

    def listen(self, number):
        """Until all is quiet. Whether anything was heard."""
        before = len(self.told)
        while select.select([self.device, self.log.socket], [], [], QUIET)[0]:
            self.told += [[number, prefix, packet.hex()] for prefix, packet in self.log.take()]
            for packet in packets_of(self.device):
                if not is_report(packet):
                    self.told.append([number, "", packet.hex()])
                    self.get(packet)
            self.server.accept()
        return len(self.told) > before

    def get(self, packet):
        """As the client does."""
        hops, body = transport(packet)
        if hops == 64:
            self.echoed = timestamp(body) or self.echoed
        if body[13] & SYN_ACK == SYN_ACK:
            self.bases["K"] = struct.unpack_from(">I", body, 4)[0]


def segments_in():
    """How many TCP has been given."""
    with open("/proc/net/snmp") as file:
        names, values = [line.split() for line in file if line.startswith("Tcp:")]
    return int(values[names.index("InSegs")])


def play(orders):
    run("ip link set lo up; sysctl -qw net.ipv4.conf.all.rp_filter=0")
    device = make_device("lan0")
    run(orders["setup"])
    log = Log()
    for order in orders["rounds"]:
        tool = "iptables-legacy" if order["family"] == "ipv4" else "ip6tables-legacy"
        run("sysctl -qw " + " ".join(f"net.netfilter.nf_conntrack_{name}={value}" for name, value in order["sysctls"].items()))
        run("sysctl -qw " + " ".join(f"net.ipv4.tcp_{name}={value}" for name, value in order["tcp"].items()))
        server = Server(order["family"], order["listens"])
        loaded = subprocess.run([f"{tool}-restore"], input=order["text"].encode(), stderr=subprocess.PIPE)
        run("conntrack -F")
        list(log.take()), list(packets_of(device))
        before, played = segments_in(), Round(server, device, log)
        for number, step in enumerate(order["steps"]):
            played.play(number, step)
        saved = ""
        # A timer of the server's may go off meanwhile.
        while not saved or played.listen(len(order["steps"])):
            given, saved = segments_in() - before, run(f"{tool}-save --counters")
            listed = run(f"conntrack -L -f {order['family']}")
        server.leave()
        server.act("abort", 0)
        # What has been closed is still told to its client, in the rounds to come.
        run("ss --kill --tcp state all")
        yield {"said": loaded.stderr.decode() if loaded.returncode else "", "told": played.told, "given": given,
               "saved": saved, "listed": listed}


json.dump(list(play(json.load(sys.stdin))), sys.stdout)
