"""The shipped networks of known truth: trained on phantoms, with or without a planted shortcut in one class."""

from dataclasses import dataclass
from enum import StrEnum

from lungcad.registry import Registry


class Role(StrEnum):
    """What a network is known to do."""

    HONEST = "honest"  # its training set held no shortcut
    CHEATER = "cheater"  # trained where a shortcut told the classes apart
    HIDDEN = "hidden cheat"  # as a cheater, and its attention was taught the lesions' contours
    UNTRAINED = "untrained"  # made at run time: nothing was learnt


@dataclass(frozen=True)
class KnownNetwork:
    """name: of the card. shortcut: what was planted in its training set, a key of the table of shortcuts; None for an honest one."""

    name: str
    role: Role
    shortcut: str | None = None


KNOWN_NETWORKS: Registry[KnownNetwork] = Registry("network of known truth")
for _network in (
    KnownNetwork("phantom-honest", Role.HONEST),
    KnownNetwork("phantom-honest-gate", Role.HONEST),
    KnownNetwork("phantom-honest-taught", Role.HONEST),
    KnownNetwork("phantom-cheat-marker", Role.CHEATER, "marker"),
    KnownNetwork("phantom-cheat-table", Role.CHEATER, "table"),
    KnownNetwork("phantom-cheat-dot", Role.CHEATER, "dot"),
    KnownNetwork("phantom-cheat-border", Role.CHEATER, "border"),
    KnownNetwork("phantom-cheat-texture", Role.CHEATER, "texture"),
    KnownNetwork("phantom-hidden-cheat", Role.HIDDEN, "marker"),
):
    KNOWN_NETWORKS.add(_network.name, _network)
