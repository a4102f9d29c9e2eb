"""What makes two messages the same: the key under which one is handed over once. No I/O."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from pipeline.entity import Entity, text_of

# 128 bits: among a million million messages two alike are less likely than a disk that lies.
SIZE: Final = 16
# Properties of the engine that change without the entity being another one; `_deleted` is not one of them.
_of_the_engine: Final = frozenset({"_hash", "_previous", "_ts", "_updated"})


def message_key(pipe: str, entity_id: str, version: str, recipients: Collection[str]) -> str:
    """The key of a message. The order in which recipients are named, or twice, makes no other message."""
    parts = (pipe, entity_id, version, *(recipients if len(recipients) == 1 else sorted(set(recipients))))
    # With the length before it no part can run into the next.
    text = "".join([f"{len(part)}:{part}" for part in parts])
    if text.isascii():
        data = text.encode()
    else:
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        data = b"".join([b"%d:%b" % (len(part), part) for part in encoded])
    return blake2b(data, digest_size=SIZE).hexdigest()


def entity_text(entity: Entity) -> str:
    """An entity as JSON with its names in order: the same text whatever order they came in; no half characters."""
    return _text(entity)


def entity_version(entity: Entity, text: str | None = None) -> str:
    """The version of an entity: a hash of what it holds. `text` is its `entity_text`, if that is known already."""
    if text is None or not _of_the_engine.isdisjoint(entity):
        text = _text({name: value for name, value in entity.items() if name not in _of_the_engine})
    return blake2b(text.encode(), digest_size=SIZE).hexdigest()


def _text(values: Mapping[str, object]) -> str:
    # The quick encoder has forms of its own for what JSON lacks: what does not read back as it was is for the other.
    try:
        text = _encode_quickly(values)
        if _decode(text) == values:
            return text.decode()
    except (UnicodeEncodeError, TypeError):  # half a character, names of several types
        pass
    return _encode(values)


def _typed(value: object) -> object:
    """A value that JSON has no form for; one of another type is another value, though it reads the same."""
    text = text_of(value)
    return {type(value).__name__: str(value)} if text is None else text


_encode_quickly: Final = msgspec.json.Encoder(order="sorted").encode
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_typed).encode


def name_of(key: str, generation: int) -> str:
    """The key as logs and answers show it: each generation is a message of its own."""
    return f"{key}.{generation}" if generation else key
