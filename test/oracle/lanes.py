"""Plays the rounds of a script beside this file in several network namespaces at once: most of a round is waiting, for the kernel
or for time to go by.

Arguments: the script, and how many lanes at most. Reads the script's orders from standard input, whose rounds are dealt out to the
lanes, and writes what it writes, all rounds in order.
"""
import json
import os
import subprocess
import sys

FEWEST_ROUNDS = 20


def start(script, orders):
    # The lock of iptables-legacy is the machine's otherwise, though each namespace has its own tables.
    lock = os.memfd_create("xtables.lock")
    env = {**os.environ, "XTABLES_LOCKFILE": f"/proc/{os.getpid()}/fd/{lock}"}
    # -B: no compiled copy of what scripts share is left beside them.
    command = ["unshare", "--net", sys.executable, "-B", script]
    lane = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    # It reads all of it before it says anything.
    lane.stdin.write(json.dumps(orders).encode())
    lane.stdin.close()
    return lane


def play(script, most, orders):
    rounds = orders["rounds"]
    count = max(1, min(most, len(rounds) // FEWEST_ROUNDS))
    lanes = [start(script, {**orders, "rounds": rounds[first::count]}) for first in range(count)]
    said = [lane.stdout.read() for lane in lanes]
    if any([lane.wait() for lane in lanes]):
        sys.exit(1)
    played = [json.loads(text) for text in said]
    return [played[nth % count][nth // count] for nth in range(len(rounds))]


json.dump(play(sys.argv[1], int(sys.argv[2]), json.load(sys.stdin)), sys.stdout)
