"""The functions of the language, a file for each subject. No I/O."""

from __future__ import annotations

from typing import Final

from pipeline.dtl.functions import (
    boolean_logic,
    booleans,
    comparisons,
    conditionals,
    date_and_time,
    deprecated,
    dictionaries,
    encryption_pairs,
    hops,
    json,
    lists_ordered,
    math,
    misc_hash,
    namespaced_identifiers,
    nulls,
    numbers,
    of_bytes,
    phonenumbers,
    sets,
    strings_replace,
    transforms_names,
    uris,
    uuids,
)
from pipeline.dtl.registry import Registry, Subject

SUBJECTS: Final[tuple[Subject, ...]] = (
    transforms_names.transforms,
    boolean_logic.boolean_logic,
    booleans.booleans,
    of_bytes.of_bytes,
    comparisons.comparisons,
    conditionals.conditionals,
    date_and_time.date_and_time,
    dictionaries.dictionaries,
    encryption_pairs.encryption,
    hops.hops,
    json.of_json,
    lists_ordered.lists,
    math.math,
    misc_hash.misc,
    namespaced_identifiers.namespaced_identifiers,
    nulls.nulls,
    numbers.numbers,
    phonenumbers.phonenumbers,
    sets.sets,
    strings_replace.strings,
    uris.uris,
    uuids.uuids,
    deprecated.deprecated,
)
"""In the order of the manual."""

REGISTRY: Final = Registry.of(SUBJECTS)
