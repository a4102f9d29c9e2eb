"""The functions of the language, a file for each subject. No I/O."""

from __future__ import annotations

from typing import Final

from pipeline.dtl.functions import (
    boolean_logic,
    comparisons,
    conditionals,
    dictionaries,
    encryption,
    hops,
    lists_ordered,
    misc,
    nulls,
    sets,
    strings,
    transforms_names,
)
from pipeline.dtl.registry import Registry, Subject

SUBJECTS: Final[tuple[Subject, ...]] = (
    transforms_names.transforms,
    boolean_logic.boolean_logic,
    comparisons.comparisons,
    conditionals.conditionals,
    dictionaries.dictionaries,
    encryption.encryption,
    hops.hops,
    lists_ordered.lists,
    misc.misc,
    nulls.nulls,
    sets.sets,
    strings.strings,
)
"""In the order of the manual."""

REGISTRY: Final = Registry.of(SUBJECTS)
