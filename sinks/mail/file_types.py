"""What kind of file a name stands for. A table of our own: it is the same on every machine. No I/O."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "application/octet-stream"

_open_document = "application/vnd.oasis.opendocument"
_open_xml = "application/vnd.openxmlformats-officedocument"

_types: Final = {
    "7z": "application/x-7z-compressed",
    "asc": "application/pgp-signature",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "bz2": "application/x-bzip2",
    "css": "text/css",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{_open_xml}.wordprocessingml.document",
    "eml": "message/rfc822",
    "epub": "application/epub+zip",
    "geojson": "application/geo+json",
    "gif": "image/gif",
    "gz": "application/gzip",
    "heic": "image/heic",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "log": "text/plain",
    "m4a": "audio/mp4",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "odp": f"{_open_document}.presentation",
    "ods": f"{_open_document}.spreadsheet",
    "odt": f"{_open_document}.text",
    "ogg": "audio/ogg",
    "otf": "font/otf",
    "p7m": "application/pkcs7-mime",
    "p7s": "application/pkcs7-signature",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "pem": "application/x-pem-file",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_open_xml}.presentationml.presentation",
    "ps": "application/postscript",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "tsv": "text/tab-separated-values",
    "ttf": "font/ttf",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "woff2": "font/woff2",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_open_xml}.spreadsheetml.sheet",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
    "zst": "application/zstd",
}


def type_of(name: str) -> str:
    """The media type of a file with this name."""
    _, dot, ending = name.rpartition(".")
    return _types.get(ending.lower(), UNKNOWN) if dot else UNKNOWN
