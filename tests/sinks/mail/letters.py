"""Random letters: the same seed makes the same one."""

from __future__ import annotations

import random

from sinks.mail.letter import Attachment, Heading, Letter, Mailbox

words = (
    *("Hello", "order", "2026-01-02", "a", "of", "the", "x=y", "100%", "e-mail", "end.", "(note)", "a,b", "semi;colon"),
    *(
        "Bjørn",
        "blåbær",
        "Ærlig",
        "naïve",
        "Привет",
        "мир",
        "日本語",
        "テスト",
        "😀",
        "👩‍👩‍👧",
        "e\u0301",
        "שלום",
        "\u202eabc",
        "ß",
    ),
    *("=?utf-8?q?=0ABcc:_x?=", "=?", "?=", "=?x?=", '"quoted"', "back\\slash", "<a@b>", "a:b", "--=_", "'", "`", "~"),
    *("x" * 77, "y" * 200, "w" * 1100, "ø" * 90, "https://example.com/" + "p/" * 60, "\u00a0", "a\u2003b", "\ud83d"),
)
lines = (
    *(
        "",
        " ",
        ".",
        "..",
        "From me",
        "From ",
        ">From",
        "-- ",
        "--",
        "\t",
        "a\tb",
        "trailing ",
        "=",
        "=3D",
        "a=\r",
        "\0",
    ),
    *("<p>Hello</p>", "<table><tr><td>1</td></tr></table>", "æøå", "тест " * 20, "x" * 76, "x" * 998, "x" * 999),
    *("word " * 30, "--=_0123456789abcdef01234567a", "\x0c", "a\rb", "😀" * 20, "\u2028", "end"),
)
locals_ = ("ann", "a.b+c", "o'brien", "x" * 64, "q?x=", '"a b"', '"a,b@c"', '"a\\"b"', "bjørn", "用户")
domains = (
    "example.com",
    "sub.example.co.uk",
    "blåbær.example",
    "xn--blbr-roah.example",
    "例え.テスト",
    "straße.example",
)
file_names = (
    *("report.pdf", "a b.csv", "blåbær.txt", "日本語のとても長い名前" * 6 + ".pdf", "x" * 200 + ".zip", 'q"uote.png'),
    *(
        "../../etc/passwd",
        "C:\\x\\y.doc",
        "a;b=c.txt",
        "\u202egpj.exe",
        "a\r\nBcc: x.txt",
        "",
        "...",
        "noending",
        "'.log",
    ),
    *("50%.xlsx", "=?utf-8?q?x?=.txt", "e\u0301.md", "🎉.ics"),
)
types = (
    "",
    "text/csv; charset=iso-8859-1",
    "application/pdf",
    "TEXT/Calendar; method=REQUEST",
    "nonsense",
    "a/b\r\nX: y",
)
control = ("\r\nBcc: evil@example.com", "\n", "\r", "\0", "\x0b", "\x85", "\u2028", "\x1b[0m", "\t")


class Random:
    """Draws letters."""

    def __init__(self, seed: int) -> None:
        """Draw from this seed."""
        self._random = random.Random(seed)

    def _some(self, chance: float) -> bool:
        return self._random.random() < chance

    def phrase(self, most: int) -> str:
        """A few words with spaces between, around and within them."""
        draw = self._random
        parts = [draw.choice(words) for _ in range(draw.randint(1, most))]
        text = " ".join(parts) if self._some(0.8) else draw.choice((" ", "  ", "", "   ")).join(parts)
        return text if self._some(0.9) else f" {text}  "

    def name(self) -> str:
        """The name of a mailbox."""
        if self._some(0.4):
            return ""
        while len(name := self.phrase(3)) > 240:
            pass
        return name

    def box(self, *, ascii_only: bool) -> Mailbox:
        """A mailbox; one with a UTF-8 address makes the whole header UTF-8."""
        draw = self._random
        while True:
            local, domain = draw.choice(locals_), draw.choice(domains)
            if not ascii_only or (local.isascii() and domain != "straße.example"):
                return Mailbox(self.name(), f"{local}@{domain}")

    def text(self, *, most: int = 12) -> str:
        """A text of several lines, with all kinds of line ends."""
        draw = self._random
        text = ""
        for _ in range(draw.randint(0, most)):
            text += draw.choice(lines) if self._some(0.7) else self.phrase(4)
            text += draw.choice(("\n", "\n", "\n", "\r\n", "\r", ""))
        return text

    def file(self) -> Attachment:
        """A file with any name and content."""
        draw = self._random
        name, kind = draw.choice(file_names), draw.choice(types)
        content = draw.choice(
            (
                lambda: draw.randbytes(draw.randint(0, 300)),
                lambda: self.text().encode("utf-8", "replace"),
                lambda: b"a,b\r\n1,2\r\n",
                lambda: b"",
            )
        )()
        if self._some(0.15):
            subject = draw.choice((b"inner", "indre ø".encode()))
            name, kind, content = "m.eml", "message/rfc822", b"Subject: %b\nFrom: a@example.com\n\nHi\n" % subject
        return Attachment(name, content, kind)

    def heading(self) -> Heading:
        """What a sink's mails share."""
        draw = self._random
        return Heading(
            self.box(ascii_only=self._some(0.8)),
            tuple(self.box(ascii_only=True) for _ in range(draw.choice((0, 0, 1, 2)))),
            (("X-Pipe", "welcome-mail"), ("X-Words", self.phrase(8))) if self._some(0.5) else (),
            draw.choice(("", "mail.example.com", "blåbær.example")),
            draw.choice(("", "high", "normal", "low")),
            draw.choice(("auto-generated", "")),
            one_click=self._some(0.3),
        )

    def letter(self, seed: int) -> Letter:
        """A letter that can be written."""
        draw = self._random
        plain = self._some(0.85)
        text = self.text() if self._some(0.8) else None
        html = self.text() if text is None or self._some(0.7) else None
        images: tuple[Attachment, ...] = ()
        if html is not None and self._some(0.2):
            images = tuple(
                Attachment(f"i{place}.png", draw.randbytes(40), cid=f"image{place}")
                for place in range(draw.randint(1, 3))
            )
            html += "".join(f'<img src="cid:{image.cid}">' for image in images)
        return Letter(
            f"pipe/{seed}/{draw.random()}",
            draw.randint(0, 4_000_000_000),
            tuple(self.box(ascii_only=plain) for _ in range(draw.choice((0, 1, 1, 1, 2, 5)))),
            self.phrase(12)[:2000] if self._some(0.9) else "",
            text,
            html,
            tuple(self.box(ascii_only=plain) for _ in range(draw.choice((0, 0, 1, 3)))),
            (Mailbox("", "hidden@example.com"),),
            headers=(("X-Free", self.phrase(10)), ("References", "<a@example.com> <b@example.com>")) * self._some(0.4),
            unsubscribe=("https://example.com/u/" + "t" * draw.choice((1, 100, 800)), "mailto:u@example.com")
            * self._some(0.5),
            attachments=tuple(self.file() for _ in range(draw.choice((0, 0, 1, 2)))),
            images=images,
        )


def spoilt(letter: Letter, seed: int) -> Letter:
    """The letter with a control character where none may be."""
    draw = random.Random(seed)
    bad = draw.choice(control)
    if letter.to and draw.random() < 0.5:
        name, address = letter.to[0]
        box = Mailbox(f"a{bad}b", address) if draw.random() < 0.5 else Mailbox(name, f"a{bad}@example.com")
        return letter._replace(to=(box, *letter.to[1:]))
    if draw.random() < 0.5:
        return letter._replace(headers=(("X-Free", f"a{bad}b"),))
    return letter._replace(subject=f"{letter.subject}{bad}x")
