"""GMime as a reader of mail: the library in C that desktop programs use."""

from __future__ import annotations

import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_size_t, c_uint, c_void_p
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any

import idna

from tests.sinks.mail.seen import ADDRESSES, Boxes, Branch, Leaf, Seen, Tree, is_further

RFC_COMPLIANCE_STRICT = 1
KINDS = ("sender", "from", "reply-to", "to", "cc", "bcc")  # GMimeAddressType


def found() -> str | None:
    """The library: the one that `.ci/mail-servers` unpacks, or that of the machine.

    `MAILWEIR_MAIL_SERVERS` says that it must be there.
    """
    told = os.environ.get("MAILWEIR_MAIL_SERVERS")
    folder = Path(told) if told else Path(__file__).parents[3] / ".mail-servers"
    for unpacked in folder.glob("gmime/usr/lib/*/libgmime-3.0.so.0"):
        return str(unpacked)
    assert not told, f"{folder}/gmime is missing: .ci/mail-servers makes it"
    return find_library("gmime-3.0")


def loaded(path: Path) -> ctypes.CDLL:
    """The library; what it needs and the machine lacks lies beside it."""
    while True:
        try:
            return ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
        except OSError as error:
            needed = path.with_name(str(error).partition(":")[0])
            if needed == path or not needed.exists():
                raise
            loaded(needed)


@cache
def library() -> Any:
    """The library, its functions declared."""
    path = found()
    assert path
    gmime = loaded(Path(path))
    functions: dict[str, tuple[Any, ...]] = {
        "init": (None,),
        "stream_mem_new_with_buffer": (c_void_p, c_char_p, c_size_t),
        "stream_mem_new": (c_void_p,),
        "stream_mem_get_byte_array": (c_void_p, c_void_p),
        "parser_new_with_stream": (c_void_p, c_void_p),
        "parser_options_new": (c_void_p,),
        "parser_options_free": (None, c_void_p),
        "parser_options_set_address_compliance_mode": (None, c_void_p, c_int),
        "parser_options_set_parameter_compliance_mode": (None, c_void_p, c_int),
        "parser_options_set_rfc2047_compliance_mode": (None, c_void_p, c_int),
        "parser_options_set_warning_callback": (None, c_void_p, c_void_p, c_void_p),
        "parser_construct_message": (c_void_p, c_void_p, c_void_p),
        "message_get_subject": (c_char_p, c_void_p),
        "message_get_addresses": (c_void_p, c_void_p, c_int),
        "message_get_mime_part": (c_void_p, c_void_p),
        "internet_address_list_length": (c_int, c_void_p),
        "internet_address_list_get_address": (c_void_p, c_void_p, c_int),
        "internet_address_get_name": (c_char_p, c_void_p),
        "internet_address_mailbox_get_idn_addr": (c_char_p, c_void_p),
        "object_get_header_list": (c_void_p, c_void_p),
        "header_list_get_count": (c_int, c_void_p),
        "header_list_get_header_at": (c_void_p, c_void_p, c_int),
        "header_get_name": (c_char_p, c_void_p),
        "header_get_value": (c_char_p, c_void_p),
        "object_get_content_type": (c_void_p, c_void_p),
        "object_get_content_id": (c_char_p, c_void_p),
        "object_get_disposition": (c_char_p, c_void_p),
        "content_type_get_mime_type": (c_void_p, c_void_p),
        "multipart_get_count": (c_int, c_void_p),
        "multipart_get_part": (c_void_p, c_void_p, c_int),
        "message_part_get_message": (c_void_p, c_void_p),
        "part_get_content": (c_void_p, c_void_p),
        "part_get_filename": (c_char_p, c_void_p),
        "object_get_content_disposition_parameter": (c_char_p, c_void_p, c_char_p),
        "data_wrapper_write_to_stream": (c_int64, c_void_p, c_void_p),
    }
    for name, (result, *arguments) in functions.items():
        function = getattr(gmime, name if name.startswith("internet_") else f"g_mime_{name}")
        function.restype, function.argtypes = result, arguments
    for name in ("g_object_unref", "g_free"):
        function = getattr(gmime, name)
        function.restype, function.argtypes = None, [c_void_p]
    gmime.g_mime_init()
    return gmime


class ByteArray(ctypes.Structure):
    """GByteArray."""

    _fields_ = (("data", POINTER(ctypes.c_ubyte)), ("len", c_uint))


WARNING = CFUNCTYPE(None, c_int64, c_int, c_char_p, c_void_p)


def read_by_gmime(content: bytes) -> Seen:
    """As GMime reads it, strictly; what it warns of fails."""
    gmime = library()
    warnings: list[tuple[int, bytes | None]] = []
    callback = WARNING(lambda _offset, kind, item, _data: warnings.append((kind, item)))
    options = gmime.g_mime_parser_options_new()
    for what in ("address", "parameter", "rfc2047"):
        getattr(gmime, f"g_mime_parser_options_set_{what}_compliance_mode")(options, RFC_COMPLIANCE_STRICT)
    gmime.g_mime_parser_options_set_warning_callback(options, ctypes.cast(callback, c_void_p), None)
    stream = gmime.g_mime_stream_mem_new_with_buffer(content, len(content))
    parser = gmime.g_mime_parser_new_with_stream(stream)
    message = gmime.g_mime_parser_construct_message(parser, options)
    try:
        assert message, "not a message"
        seen = _message(gmime, message)
    finally:
        for one in (message, parser, stream):
            if one:
                gmime.g_object_unref(one)
        gmime.g_mime_parser_options_free(options)
    assert not warnings, warnings
    return seen


def _message(gmime: Any, message: int) -> Seen:
    fields = list(_fields(gmime, message))
    root = gmime.g_mime_message_get_mime_part(message)
    there = dict.fromkeys(name for name, _ in (*fields, *_fields(gmime, root)))
    return Seen(
        tuple(there),
        tuple(_boxes(gmime, message, KINDS.index(kind)) for kind in ADDRESSES),
        _text(gmime.g_mime_message_get_subject(message)),
        tuple((name, value) for name, value in fields if is_further(name)),
        _part(gmime, root),
    )


def _fields(gmime: Any, one: int) -> list[tuple[str, str]]:
    headers = gmime.g_mime_object_get_header_list(one)
    fields = []
    for at in range(gmime.g_mime_header_list_get_count(headers)):
        header = gmime.g_mime_header_list_get_header_at(headers, at)
        fields.append((_text(gmime.g_mime_header_get_name(header)), _text(gmime.g_mime_header_get_value(header))))
    return fields


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def _boxes(gmime: Any, message: int, kind: int) -> Boxes:
    addresses = gmime.g_mime_message_get_addresses(message, kind)
    found = []
    for at in range(gmime.internet_address_list_length(addresses)):
        address = gmime.internet_address_list_get_address(addresses, at)
        name = _text(gmime.internet_address_get_name(address))
        found.append((name, _text(gmime.internet_address_mailbox_get_idn_addr(address))))
    return tuple(found)


def _part(gmime: Any, part: int) -> Tree:
    written = gmime.g_mime_content_type_get_mime_type(gmime.g_mime_object_get_content_type(part))
    kind = _text(ctypes.string_at(written))
    gmime.g_free(written)
    if kind.startswith("multipart/"):
        count = gmime.g_mime_multipart_get_count(part)
        return Branch(kind, tuple(_part(gmime, gmime.g_mime_multipart_get_part(part, at)) for at in range(count)))
    if kind == "message/rfc822":
        inner = gmime.g_mime_message_part_get_message(part)
        content = gmime.g_mime_message_get_subject(inner) or b""
    else:
        content = _content(gmime, part)
    return Leaf(
        kind,
        content,
        _text(gmime.g_mime_object_get_content_disposition_parameter(part, b"filename")),
        _text(gmime.g_mime_object_get_disposition(part)),
        _text(gmime.g_mime_object_get_content_id(part)),
    )


def _content(gmime: Any, part: int) -> bytes:
    wrapper = gmime.g_mime_part_get_content(part)
    if not wrapper:
        return b""
    memory = gmime.g_mime_stream_mem_new()
    gmime.g_mime_data_wrapper_write_to_stream(wrapper, memory)
    array = ctypes.cast(gmime.g_mime_stream_mem_get_byte_array(memory), POINTER(ByteArray)).contents
    content = ctypes.string_at(array.data, array.len) if array.len else b""
    gmime.g_object_unref(memory)
    return content


def as_gmime_sees(seen: Seen) -> Seen:
    """What GMime can see: domains in ASCII."""

    def boxes(there: Boxes) -> Boxes:
        done = []
        for name, address in there:
            local, _, domain = address.rpartition("@")
            done.append((name, f"{local}@{idna.encode(domain).decode()}"))
        return tuple(done)

    return seen._replace(boxes=tuple(map(boxes, seen.boxes)))
