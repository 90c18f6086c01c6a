"""Makes objects of nfacct in the network namespace it is started in: NAME, or NAME=packets:LIMIT or NAME=bytes:LIMIT."""
import os
import socket
import struct
import sys

NETFILTER, ACCT_NEW, REQUEST_ACK_CREATE = 12, 7 << 8, 0x405
NAME, FLAGS, QUOTA = 1, 5, 6


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


out = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
out.bind((0, 0))
for argument in sys.argv[1:]:
    name, _, quota = argument.partition("=")
    body = struct.pack("=BBH", 0, 0, 0) + attribute(NAME, name.encode() + b"\0")
    if quota:
        kind, limit = quota.split(":")
        body += attribute(QUOTA, struct.pack("!Q", int(limit)))
        body += attribute(FLAGS, struct.pack("!I", 1 if kind == "packets" else 2))
    out.send(struct.pack("=IHHII", 16 + len(body), ACCT_NEW, REQUEST_ACK_CREATE, 1, 0) + body)
    error = struct.unpack_from("=i", out.recv(4096), 16)[0]
    if error not in (0, -17):
        raise OSError(-error, os.strerror(-error))
