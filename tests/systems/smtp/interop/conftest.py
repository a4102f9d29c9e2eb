"""Real mail servers on loopback: Postfix, Exim and OpenSMTPD, each in a root folder of its own.

`.ci/mail-servers` makes the folders; where one is missing its tests are skipped, or fail if `MAILWEIR_MAIL_SERVERS`
says that they are there. Nothing of the machine is used but its kernel: a server sees its own users, spool and homes.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

import pytest
import trustme

from systems.mail import Envelope, Message

DOMAIN: Final = "example.org"
HOST: Final = "mail.example.org"
LOGIN: Final = ("kari", "Sesam, lukk deg opp 1")
# For anything that a server does, on a machine that is busy with other things.
PATIENCE: Final = 60.0
# Nothing is missing in it that a server would add.
HEAD: Final = (
    b"Date: Sat, 03 Jan 2026 12:00:00 +0000\r\nFrom: A <a@example.com>\r\nTo: Kari <kari@example.org>\r\n"
    b"Message-ID: <%d@example.com>\r\nSubject: number %d\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
)
# What a server may put on top (RFC 5321 section 4.4); everything below is ours.
TRACE: Final = frozenset({"return-path", "received", "delivered-to", "x-original-to", "envelope-to", "delivery-date"})
# Small limits, so that they are met soon.
LARGEST: Final = 300_000
MOST_RECIPIENTS: Final = 20
MOST_MAILS: Final = 10
# Ports are free when they are chosen and may be taken a moment later.
MOST_STARTS: Final = 5
# Far from the numbers of people and services of the machine.
USERS: Final = {
    "root": (0, "/root"),
    "nobody": (65534, "/nonexistent"),
    "postfix": (61001, "/var/spool/postfix"),
    "Debian-exim": (61002, "/var/spool/exim4"),
    "opensmtpd": (61003, "/var/lib/opensmtpd/empty"),
    "opensmtpq": (61004, "/var/lib/opensmtpd/empty"),
    "kari": (61010, "/home/kari"),
    "ola": (61011, "/home/ola"),
}
GROUPS: Final = {name: number for name, (number, _) in USERS.items()} | {"postdrop": 61005, "mail": 8, "nogroup": 65533}


class MailServer(ABC):
    """A mail server for kari and ola at `example.org`, on three ports.

    `plain` offers STARTTLS, `tls` is TLS from the first byte, `login` takes mail after a login under TLS only.
    """

    name: ClassVar[str]
    command: ClassVar[Sequence[str]]
    queue: ClassVar[Sequence[str]]
    key_type: ClassVar[trustme.KeyType] = trustme.KeyType.ECDSA
    credentials: ClassVar[tuple[str, str]] = LOGIN

    def __init__(self, root: Path, authority: trustme.CA) -> None:
        """The root is this server's own; it is filled here and not started."""
        self.root = root
        self.plain = self.tls = self.login = 0
        self.ca_file = root.parent / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert("localhost", key_type=self.key_type)
        self.write("etc/cert.pem", b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        self.write("etc/key.pem", certificate.private_key_pem.bytes(), mode=0o600)
        self._write_system()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def configure(self) -> None:
        """Write the configuration for the present ports."""

    @abstractmethod
    def log(self) -> str:
        """What the server has said so far."""

    def start(self) -> None:
        """Start, and return when all ports answer."""
        for _ in range(MOST_STARTS):
            self.plain, self.tls, self.login = free_ports(3)
            self.configure()
            if self._launch():
                return
            self.stop()
        raise RuntimeError(f"{self.name} does not start:\n{self.console()}\n{self.log()}")

    def restart(self) -> None:
        """End it, and start it again on the same ports."""
        self.stop()
        if not self._launch():
            raise RuntimeError(f"{self.name} does not start again:\n{self.console()}\n{self.log()}")

    def _launch(self) -> bool:
        """Start the processes; whether all ports answer then."""
        with (self.root / "var" / "log" / "console").open("wb") as console:
            self._process = subprocess.Popen(
                ["chroot", str(self.root), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin", "TZ": "UTC"},
            )
        # The server ends with these tests, however they end: a reader at the end of its input kills its group.
        script = f"cat >/dev/null; kill -s KILL -- -{self._process.pid}"
        self._watch = subprocess.Popen(
            ["sh", "-c", script], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        return self._listens()

    def stop(self) -> None:
        """End it and all of its processes."""
        if self._process is None or self._watch is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._watch.communicate()
        self._process.wait()
        self._process = self._watch = None

    def inbox(self, user: str, *, at_least: int = 0) -> list[bytes]:
        """The mails of a user, as files on this server: each line ends in LF. All that was taken has arrived then.

        `at_least` is for mail that the server makes itself, which is in no queue yet.
        """
        folder = self.root / "home" / user / "Maildir" / "new"
        end = time.monotonic() + PATIENCE
        # Twice, since mail moves from one folder of the queue to the next.
        while any(self._queued() for _ in range(2)) or len(list(folder.glob("*"))) < at_least:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name} does not deliver:\n{self.console()}\n{self.log()}")
            time.sleep(0.02)
        return [path.read_bytes() for path in folder.glob("*")]

    def empty(self) -> None:
        """Remove all mail that has arrived."""
        for path in (self.root / "home").glob("*/Maildir/new/*"):
            path.unlink()

    def console(self) -> str:
        """What it printed."""
        return read(self.root / "var" / "log" / "console")

    def write(self, name: str, content: str | bytes, mode: int = 0o644) -> None:
        """A file in the root. What is there may be a link to what all roots share, so it is replaced."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        # Postfix waits when its configuration has just been written, as somebody might be writing still.
        os.utime(path, (0, 0))

    def folder(self, name: str, user: str = "root", group: str = "root", mode: int = 0o755) -> None:
        """A folder in the root with its owner and mode."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, USERS[user][0], GROUPS[group])
        path.chmod(mode)

    def run(self, *command: str, given: bytes = b"") -> str:
        """Run a command of the server's own."""
        done = subprocess.run(["chroot", str(self.root), *command], input=given, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode().strip()

    def _write_system(self) -> None:
        lines = [f"{name}:x:{number}:{number}::{home}:/bin/sh" for name, (number, home) in USERS.items()]
        self.write("etc/passwd", "\n".join([*lines, ""]))
        self.write("etc/group", "\n".join([*(f"{name}:x:{number}:" for name, number in GROUPS.items()), ""]))
        self.write("etc/hosts", f"127.0.0.1 localhost {HOST}\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        self.write("etc/services", "smtp 25/tcp\nsubmissions 465/tcp\nsubmission 587/tcp\n")
        self.write("etc/mailname", f"{HOST}\n")
        for user in ("kari", "ola"):
            self.folder(f"home/{user}", user, user, 0o700)
        self.folder("tmp", mode=0o1777)
        for device, number in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            path = self.root / "dev" / device
            os.mknod(path, 0o20666, os.makedev(1, number))
            path.chmod(0o666)

    def _queued(self) -> bool:
        return any(any(files) for name in self.queue for _, _, files in os.walk(self.root / "var/spool" / name))

    def _listens(self) -> bool:
        end = time.monotonic() + PATIENCE
        for port in (self.plain, self.login, self.tls):
            while not greets(port, wanted=b"" if port == self.tls else b"220"):
                if self._process is None or self._process.poll() is not None or time.monotonic() > end:
                    return False
                time.sleep(0.02)
        return True


class Postfix(MailServer):
    """Postfix, with logins from Cyrus SASL."""

    name = "postfix"
    command = ("/usr/lib/postfix/sbin/master", "-d")
    queue = ("postfix/incoming", "postfix/active", "postfix/deferred")

    def configure(self) -> None:
        """As `postfix start` finds it, without the shell tools that this needs."""
        self.write(
            "etc/postfix/main.cf",
            f"""\
compatibility_level = 3.6
myhostname = {HOST}
mydestination = {DOMAIN}
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps = unix:passwd.byname
home_mailbox = Maildir/
recipient_delimiter = +
message_size_limit = {LARGEST}
smtpd_recipient_limit = {MOST_RECIPIENTS}
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_authorized_verp_clients = 127.0.0.0/8
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/cert.pem
smtpd_tls_key_file = /etc/key.pem
smtpd_sasl_local_domain = {HOST}
maillog_file = /var/log/mail.log
""",
        )
        login = "-o smtpd_tls_auth_only=yes -o smtpd_sasl_auth_enable=yes -o smtpd_delay_reject=no"
        reject = "-o smtpd_sender_restrictions=permit_sasl_authenticated,reject"
        self.write(
            "etc/postfix/master.cf",
            f"""\
127.0.0.1:{self.plain} inet n - n - - smtpd
127.0.0.1:{self.tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{self.login} inet n - n - - smtpd {login} {reject}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
""",
        )
        self.write(
            "etc/postfix/sasl/smtpd.conf",
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\n",
        )
        for name in [
            "active",
            "bounce",
            "corrupt",
            "defer",
            "deferred",
            "flush",
            "hold",
            "incoming",
            "private",
            "saved",
            "trace",
        ]:
            self.folder(f"var/spool/postfix/{name}", "postfix", "root", 0o700)
        self.folder("var/spool/postfix/pid")
        self.folder("var/spool/postfix/maildrop", "postfix", "postdrop", 0o1730)
        self.folder("var/spool/postfix/public", "postfix", "postdrop", 0o2710)
        self.folder("var/lib/postfix", "postfix", "postfix", 0o700)
        (self.root / "etc" / "sasldb2").unlink(missing_ok=True)
        self.run("/usr/sbin/saslpasswd2", "-p", "-c", "-u", HOST, LOGIN[0], given=LOGIN[1].encode())
        os.chown(self.root / "etc" / "sasldb2", USERS["postfix"][0], 0)

    def log(self) -> str:
        """Its mail log."""
        return read(self.root / "var" / "log" / "mail.log")


class Exim(MailServer):
    """Exim, with the login mechanisms that it brings."""

    name = "exim"
    command = ("/usr/sbin/exim4", "-bdf", "-q5m")
    queue = ("exim4/input",)

    def configure(self) -> None:
        """One file has everything."""
        user, password = LOGIN
        password = password.replace(",", r"\,")
        self.write(
            "etc/exim4/exim4.conf",
            f"""\
primary_hostname = {HOST}
keep_environment =
notifier_socket =
domainlist local_domains = {DOMAIN}
local_interfaces = 127.0.0.1.{self.plain} : 127.0.0.1.{self.tls} : 127.0.0.1.{self.login}
tls_on_connect_ports = {self.tls}
tls_advertise_hosts = *
tls_certificate = /etc/cert.pem
tls_privatekey = /etc/key.pem
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
dsn_advertise_hosts = *
auth_advertise_hosts = ${{if and{{{{eq{{$received_port}}{{{self.login}}}}}{{def:tls_in_cipher}}}}{{*}}}}
message_size_limit = {LARGEST}
recipients_max = {MOST_RECIPIENTS}
smtp_accept_max_per_connection = {MOST_MAILS}
host_lookup =
rfc1413_hosts =
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
log_file_path = /var/log/exim-%s
begin acl
mail:
  deny condition = ${{if eq{{$received_port}}{{{self.login}}}}}
       !authenticated = *
       message = 5.7.0 log in first
  accept
rcpt:
  accept domains = +local_domains
         verify = recipient
  deny domains = +local_domains
       message = 5.1.1 unknown user
  deny message = 5.7.1 no relay
begin routers
local:
  driver = accept
  domains = +local_domains
  check_local_user
  local_part_suffix = +*
  local_part_suffix_optional
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = $home/Maildir
  return_path_add
  envelope_to_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{{user}}}{{{password}}}fail}}
  server_set_id = $auth1
""",
        )
        # It becomes root to deliver, which is a right that files lose when others than root unpack them.
        self.write("usr/sbin/exim4", (self.root / "usr" / "sbin" / "exim4").read_bytes(), mode=0o4755)
        # The key is read by the process that talks.
        os.chown(self.root / "etc" / "key.pem", *[USERS["Debian-exim"][0]] * 2)
        self.folder("var/spool/exim4", "Debian-exim", "Debian-exim", 0o750)
        self.folder("run/exim4", "Debian-exim", "Debian-exim")
        self.folder("var/log", "Debian-exim", "Debian-exim")

    def log(self) -> str:
        """Its logs."""
        return "".join(map(read, sorted((self.root / "var" / "log").glob("exim-*"))))


class OpenSmtpd(MailServer):
    """OpenSMTPD, with logins from a table. It offers no PIPELINING."""

    name = "opensmtpd"
    # The process that holds the key cannot use another kind with OpenSSL 3.
    key_type = trustme.KeyType.RSA
    command = ("/usr/sbin/smtpd", "-d")
    queue = ("smtpd/incoming", "smtpd/queue")

    def configure(self) -> None:
        """One file has everything, and another the logins."""
        user, password = LOGIN
        self.write("etc/logins", f"{user} {self.run('/usr/libexec/opensmtpd/encrypt', given=password.encode())}\n")
        self.write(
            "etc/smtpd.conf",
            f"""\
pki localhost cert "/etc/cert.pem"
pki localhost key "/etc/key.pem"
smtp max-message-size "{LARGEST}"
table logins file:/etc/logins
listen on 127.0.0.1 port {self.plain} tls pki localhost hostname {HOST}
listen on 127.0.0.1 port {self.tls} smtps pki localhost hostname {HOST}
listen on 127.0.0.1 port {self.login} tls-require pki localhost hostname {HOST} auth <logins>
action "local" maildir "/home/%{{user.username}}/Maildir"
match from any for domain "{DOMAIN}" action "local"
match auth from any for any action "local"
""",
        )
        self.folder("var/lib/opensmtpd/empty", mode=0o711)

    def log(self) -> str:
        """It prints everything."""
        return ""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment."""
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in found]
    finally:
        for one in found:
            one.close()


def greets(port: int, wanted: bytes) -> bool:
    """Whether somebody listens, and says this first."""
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            return not wanted or client.recv(100).startswith(wanted)
    except OSError:
        return False


def read(path: Path) -> str:
    """The text of a file, if there is one."""
    return path.read_text(errors="replace") if path.is_file() else ""


def _letter(number: int, body: bytes = b"Hello\r\n", *recipients: str, sender: str = "a@example.com") -> Message:
    content = HEAD % (number, number) + body
    return Message(str(number), Envelope(sender, recipients or ("kari@example.org",)), content)


def _number(raw: bytes) -> int:
    found = re.search(rb"^Subject: number ([0-9]+)$", raw, re.MULTILINE)
    assert found is not None, raw[:2000]
    return int(found[1])


def _trace(raw: bytes, content: bytes) -> list[str]:
    ours = content.replace(b"\r\n", b"\n")
    assert raw.endswith(ours), (raw[:2000], content[:2000])
    above = raw.removesuffix(ours).decode()
    assert above.endswith("\n")
    fields = re.split(r"\n(?![ \t])", above.removesuffix("\n"))
    assert {field.partition(":")[0].lower() for field in fields} <= TRACE, above
    return fields


def _copy(source: str, target: str) -> None:
    """A link where that is possible, since no server writes to its programs; files of others become root's."""
    with suppress(OSError):
        if Path(source).stat().st_uid == os.geteuid():
            os.link(source, target)
            return
    shutil.copy2(source, target)


def _running(kind: type[MailServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    told = os.environ.get("MAILWEIR_MAIL_SERVERS")
    folder = Path(told) if told else Path(__file__).parents[4] / ".mail-servers"
    made = folder / kind.name
    missing = "" if (made / ".packages").exists() else f"{made} is missing: .ci/mail-servers makes it"
    if not missing and os.geteuid() != 0:
        missing = "only root may change the root folder of a process"
    if missing and told:
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    # A root under /tmp whose path everybody may go through: servers change their user.
    base = tmp_path_factory.mktemp(kind.name)
    root = base / "root"
    shutil.copytree(made, root, symlinks=True, copy_function=_copy)
    server = kind(root, trustme.CA())
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(root)


@pytest.fixture(scope="session")
def postfix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """Postfix, running."""
    yield from _running(Postfix, tmp_path_factory)


@pytest.fixture(scope="session")
def exim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """Exim, running."""
    yield from _running(Exim, tmp_path_factory)


@pytest.fixture(scope="session")
def opensmtpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """OpenSMTPD, running."""
    yield from _running(OpenSmtpd, tmp_path_factory)


@pytest.fixture(scope="session")
def letter() -> Callable[..., Message]:
    """Make a message with a number, to kari if nobody is named, whose head leaves a server nothing to add."""
    return _letter


@pytest.fixture(scope="session")
def number() -> Callable[[bytes], int]:
    """Read the number of a letter that arrived."""
    return _number


@pytest.fixture(scope="session")
def trace() -> Callable[[bytes, bytes], list[str]]:
    """Hold what arrived against what was sent, to the byte, and give the fields that the server put on top."""
    return _trace


@pytest.fixture
def server(request: pytest.FixtureRequest) -> MailServer:
    """The server that a test names, without mail."""
    running: MailServer = request.getfixturevalue(request.param)
    running.empty()
    return running
