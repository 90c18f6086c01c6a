"""What the scripts beside it share: tun devices in the network namespace that they are started in, and what comes out of them."""
import fcntl
import os
import struct
import subprocess
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def run(command):
    """What a shell's command prints; one that fails ends the script."""
    return subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


def set_sysctl(setting):
    """In the namespace; `setting` is "ipv4/ip_forward=1"."""
    path, value = setting.split("=")
    with open(f"/proc/sys/net/{path}", "w") as file:
        file.write(value)


def make_device(name, mtu=1500):
    """One that says nothing by itself and takes what comes from anywhere."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    for setting in ("ipv6/conf/%s/addr_gen_mode=1", "ipv6/conf/%s/accept_dad=0", "ipv4/conf/%s/rp_filter=0", "ipv4/conf/%s/send_redirects=0"):
        set_sysctl(setting % name)
    run(f"ip link set {name} multicast off; ip link set {name} up mtu {mtu}")
    return device


BACKLOGS = open("/proc/net/softnet_stat")
BACKLOG = 11


def put(device, packet):
    """Has a packet come in, and comes back when the kernel is done with it: where processors are busy a thread of its own takes packets up, late."""
    os.write(device, packet)
    while True:
        BACKLOGS.seek(0)
        if all(int(line.split()[BACKLOG], 16) == 0 for line in BACKLOGS):
            return
        time.sleep(0.0005)


def packets_of(device):
    """All that has come out since the last look."""
    try:
        while True:
            yield os.read(device, 65536)
    except BlockingIOError:
        pass


def is_report(packet):
    """Of IPv6 groups, which the machine tells routers whenever it likes."""
    return packet[0] >> 4 == 6 and packet[24:26] == b"\xff\x02"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
