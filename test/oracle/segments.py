"""TCP segments of a client whose numbers are told from bases, as the scripts beside it are given them (a step of HandshakeStep)."""
import socket
import struct

from wires import checksum

SYN_ACK = 18
SACK, TIMES, OUR_TIME = 5, 8, 7777


def segment(step, source, destination, bases, echoed):
    """The packet; with a time, `echoed` is the one that the sender was sent last."""
    options = bytes.fromhex(step["options"])
    number = lambda name: (bases[step[name][0]] + step[name][1]) & 0xFFFFFFFF
    if step["times"]:
        options += struct.pack(">BBBBII", 1, 1, TIMES, 10, OUR_TIME, echoed)
    if "sack" in step:
        options += struct.pack(">BBBBII", 1, 1, SACK, 10, *((number("ack") + edge) & 0xFFFFFFFF for edge in step["sack"]))
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


def transport(packet):
    """Its hops, and what is behind the IP header."""
    return (packet[8], packet[20:]) if packet[0] >> 4 == 4 else (packet[7], packet[40:])


def timestamp(body):
    options, at = body[20 : (body[12] >> 4) * 4], 0
    while at + 1 < len(options) and options[at] != 0:
        if options[at] == TIMES:
            return struct.unpack_from(">I", options, at + 2)[0]
        at += 1 if options[at] == 1 else options[at + 1]
    return 0
