"""TLS for connections to mail servers: contexts, and the faults of handshakes in words that help."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from systems.smtp.endpoints import TlsSpec

_versions: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

# X509_V_ERR_* of OpenSSL that people meet, and what helps.
_certificates: Final = {
    9: "the server's certificate is not valid yet: is the clock of this machine right?",
    10: "the server's certificate has expired",
    18: "the server's certificate is self-signed: trust it with `ca_file`",
    19: "the authority of the server's certificate is not trusted: name it with `ca_file`",
    20: "the issuer of the server's certificate is not known: the server sends no chain, or `ca_file` is needed",
    21: "the issuer of the server's certificate is not known: the server sends no chain, or `ca_file` is needed",
    62: "the server's certificate is for another name",
    64: "the server's certificate is for another address: use the server's name",
}


class HandshakeFault(NamedTuple):
    """Why a handshake failed. What waiting cannot heal is not retryable."""

    text: str
    retryable: bool


def context(spec: TlsSpec) -> ssl.SSLContext:
    """The context for a server. `OSError` names a file that cannot be used, and says why."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = _versions[spec.minimum_version]
    made.check_hostname = spec.verify_peer and spec.verify_host
    made.verify_mode = ssl.CERT_REQUIRED if spec.verify_peer else ssl.CERT_NONE
    if spec.verify_peer:
        if spec.ca_file is None and spec.ca_path is None:
            made.load_default_certs()
        else:
            _trust(made, spec.ca_file, spec.ca_path)
    if spec.client_cert is not None:
        # An empty passphrase for a key that wants one is an error here, and no question on the terminal.
        password = "" if spec.client_key_password is None else spec.client_key_password.reveal()
        _show(made, spec.client_cert, spec.client_key or spec.client_cert, password)
    return made


def _trust(made: ssl.SSLContext, file: str | None, path: str | None) -> None:
    if path is not None and not Path(path).is_dir():
        code = errno.ENOTDIR if Path(path).exists() else errno.ENOENT
        raise OSError(code, os.strerror(code), path)  # OpenSSL trusts nobody then, and does not say so
    if file is not None:
        _of_file(file, "it holds no certificate in PEM", lambda: made.load_verify_locations(file))
    if path is not None:
        made.load_verify_locations(capath=path)


def _show(made: ssl.SSLContext, cert: str, key: str, password: str) -> None:
    # Of two files OpenSSL does not say which one is missing.
    with Path(key).open("rb"):
        pass
    _of_file(
        cert, f"it is no certificate in PEM with the key of {key}", lambda: made.load_cert_chain(cert, key, password)
    )


def _of_file(file: str, what: str, work: Callable[[], None]) -> None:
    try:
        work()
    except ssl.SSLError as error:
        reason = (error.reason or "").replace("_", " ").lower()
        raise OSError(errno.EINVAL, f"{what}{f' ({reason})' if reason else ''}", file) from None
    except OSError as error:
        raise OSError(error.errno, error.strerror, file) from None


def explain(error: BaseException, *, starttls: bool) -> HandshakeFault:
    """What a failed handshake means; `starttls`: it was begun by that command."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = _certificates.get(error.verify_code) or f"the server's certificate is not good: {error.verify_message}"
        if error.verify_code in {62, 64}:
            text = f"{text} ({error.verify_message.rstrip('.')})"
        return HandshakeFault(text, retryable=False)
    if isinstance(error, ssl.SSLError):
        return _explain_ssl(error, starttls=starttls)
    if isinstance(error, TimeoutError):
        return HandshakeFault("the TLS handshake took too long", retryable=True)
    if isinstance(error, ConnectionError | EOFError):
        return HandshakeFault("the server closed the connection during the TLS handshake", retryable=True)
    return HandshakeFault(f"the TLS handshake failed: {error}", retryable=True)


def _explain_ssl(error: ssl.SSLError, *, starttls: bool) -> HandshakeFault:
    reason = getattr(error, "reason", None) or ""  # only errors that OpenSSL made have one
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"}:
        text = "the server does not speak TLS here"
        if not starttls:
            text += ': this port begins in the clear; use `"tls": "starttls"` (usually port 587), or port 465'
        return HandshakeFault(text, retryable=False)
    if reason in {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"}:
        return HandshakeFault("the server knows only TLS versions below `tls_minimum_version`", retryable=False)
    if "CERTIFICATE_REQUIRED" in reason:
        return HandshakeFault("the server wants a client certificate: set `tls_client_cert`", retryable=False)
    if "UNKNOWN_CA" in reason or "BAD_CERTIFICATE" in reason or "CERTIFICATE_EXPIRED" in reason:
        return HandshakeFault("the server does not accept the client certificate", retryable=False)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or "EOF" in reason:
        return HandshakeFault("the server closed the connection during the TLS handshake", retryable=True)
    words = reason.replace("_", " ").lower() or "no reason given"
    return HandshakeFault(f"the TLS handshake failed: {words}", retryable=False)
