# SPDX-License-Identifier: GPL-2.0-only
"""A guest's network cards: what is typed of them, and how QEMU and xl are told.

The other end of a card is dom0 itself, or on the bare machine QEMU: it has the address
192.168.76.1 (77.1 of the second), gives the guest one by DHCP, answers ping, echoes
what comes to port 7, and has a web server with the file "hello".
"""

import re
from dataclasses import dataclass

MOST = 2                # NETS of pc/net.h
FIRST_NET = 76          # 192.168.N.0/24 of the first card
PREFIX = "00:16:3e:76:6d"   # Xen's range; the same from run to run
MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


@dataclass
class Vif:
    mac: str


def parsed(text, number):
    """dom0[,mac=ADDRESS]; None if it is anything else."""
    word, *options = text.split(",")
    mac = "%s:%02x" % (PREFIX, number)
    for option in options:
        if not option.startswith("mac="):
            return None
        mac = option[4:].lower()
    return Vif(mac) if word == "dom0" else None


def fault(vif, others):
    """What is wrong with it; None: nothing."""
    if vif is None:
        return "dom0 was expected, and mac=ADDRESS may follow: dom0,mac=00:16:3e:00:00:01"
    if not MAC.fullmatch(vif.mac):
        return "mac=%s: an address is six numbers such as 00:16:3e:00:00:01" % vif.mac
    if int(vif.mac[:2], 16) & 1:
        return "mac=%s is the address of many stations, not of one" % vif.mac
    if any(vif.mac == other.mac for other in others):
        return "mac=%s: there is one already" % vif.mac
    return None


def taken(texts, wrong):
    """The Vifs of what was typed, [(name of the option, text)]; wrong(name, text,
    words) raises."""
    vifs = []
    for name, text in texts:
        vif = parsed(text, len(vifs))
        words = fault(vif, vifs)
        if words is None and len(vifs) == MOST:
            words = "a guest has %d network cards at most" % MOST
        if words:
            wrong(name, text, words)
        vifs.append(vif)
    return vifs


def xl_lines(vifs, quoted):
    """The configuration's: on another host xl puts the card on its usual bridge."""
    return ["vif = [ %s ]" % ", ".join(quoted("mac=" + vif.mac) for vif in vifs)] if vifs else []


def for_bare(vifs):
    """The card that the ROM has a model of, and QEMU's own network behind it."""
    line = []
    for number, vif in enumerate(vifs):
        net = "192.168.%d" % (FIRST_NET + number)
        line += ["-netdev", "user,id=net%d,net=%s.0/24,host=%s.1,dns=%s.3,dhcpstart=%s.10,restrict=on,"
                 "guestfwd=tcp:%s.2:7-cmd:cat" % (number, net, net, net, net, net),
                 "-device", "e1000-82545em,netdev=net%d,mac=%s,romfile=" % (number, vif.mac)]
    return line
