"""All data sets that norface reads as they were delivered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from norface.data.sample import DataSet
from norface.data.sets import (
    aff_wild2,
    affectnet,
    bp4d,
    ck_plus,
    disfa,
    disfa_plus,
    fer2013,
    rafdb,
    table,
)


class Reader(Protocol):
    """An adapter's function."""

    def __call__(self, root: Path, variant: str, *, skip_missing: bool) -> DataSet:
        """Read the delivered tree below root."""
        ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """How a data set is read.

    Attributes:
        title: its full name.
        read: the function; see the docstring of its module for the label coding.
        tree: the delivered tree.
        variants: what can be chosen, the default first, which may be ""; empty where there is
            nothing to choose.
        source: where to ask for the set, and its terms in a few words.
    """

    title: str
    read: Reader
    tree: str
    variants: tuple[str, ...]
    source: str


_BINGHAMTON = (
    "https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html: licence agreement, "
    "non-commercial research"
)
_DENVER = "http://mohammadmahoor.com: agreement signed by the institution, non-commercial research"

ADAPTERS: Final[dict[str, Adapter]] = {
    "bp4d": Adapter("BP4D-Spontaneous", bp4d.read_bp4d, bp4d.TREE, (), _BINGHAMTON),
    "bp4d-plus": Adapter("BP4D+ (MMSE)", bp4d.read_bp4d_plus, bp4d.TREE, (), _BINGHAMTON),
    "disfa": Adapter("DISFA", disfa.read_disfa, disfa.TREE, disfa.VARIANTS, _DENVER),
    "disfa-plus": Adapter("DISFA+", disfa_plus.read_disfa_plus, disfa_plus.TREE, (), _DENVER),
    "affectnet": Adapter("AffectNet", affectnet.read_affectnet, affectnet.TREE, (), _DENVER),
    "rafdb": Adapter(
        "RAF-DB, basic emotions",
        rafdb.read_rafdb,
        rafdb.TREE,
        rafdb.VARIANTS,
        "http://www.whdeng.cn/RAF/model1.html: by request, non-commercial research",
    ),
    "fer2013": Adapter(
        "FER2013 and FER+",
        fer2013.read_fer2013,
        fer2013.TREE,
        fer2013.VARIANTS,
        "Kaggle, Challenges in Representation Learning: Facial Expression Recognition Challenge; "
        "labels of FER+: https://github.com/microsoft/FERPlus (MIT)",
    ),
    "aff-wild2": Adapter(
        "Aff-Wild2",
        aff_wild2.read_aff_wild2,
        aff_wild2.TREE,
        aff_wild2.VARIANTS,
        "https://ibug.doc.ic.ac.uk/resources/aff-wild2/: by request, non-commercial research",
    ),
    "ck-plus": Adapter(
        "CK+, extended Cohn-Kanade",
        ck_plus.read_ck_plus,
        ck_plus.TREE,
        ck_plus.VARIANTS,
        "http://www.jeffcohn.net/Resources/: agreement, non-commercial research",
    ),
    "table": Adapter(
        "any CSV or Parquet file", table.read_table, table.TREE, table.VARIANTS, "your own"
    ),
}
"""Name -> adapter."""


def read_data_set(
    name: str, root: Path, variant: str | None = None, *, skip_missing: bool = False
) -> DataSet:
    """Read a data set as it was delivered.

    Args:
        name: a key of `ADAPTERS`.
        root: the folder in which its parts lie.
        variant: one of its variants; None for the first.
        skip_missing: count labelled pictures that are missing, instead of stopping at the first.

    Raises:
        ValueError: there is no such set or variant.
        DataError: a part is missing or damaged.
    """
    if name not in ADAPTERS:
        raise ValueError(f"{name!r} is no data set. There are {', '.join(ADAPTERS)}")
    adapter = ADAPTERS[name]
    if variant is None:
        variant = adapter.variants[0] if adapter.variants else ""
    elif variant not in adapter.variants:
        choice = ", ".join(filter(None, adapter.variants)) or "none"
        raise ValueError(f"{variant!r} is no variant of {name}. There are: {choice}")
    return replace(adapter.read(root, variant, skip_missing=skip_missing), variant=variant)
