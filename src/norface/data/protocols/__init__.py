"""Protocols as data: who or what is trained on and tested on, which labels, which threshold."""

from norface.data.protocols.division import Division, LeakError
from norface.data.protocols.files import cross, cross_pairs, protocol, protocol_names
from norface.data.protocols.protocol import Protocol

__all__ = (
    "Division",
    "LeakError",
    "Protocol",
    "cross",
    "cross_pairs",
    "protocol",
    "protocol_names",
)
