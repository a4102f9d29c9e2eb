"""The body: the quick way for most mails is the same as the long one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.body import _any, _usual
from sinks.mail.letter import Letter

texts = st.lists(
    st.sampled_from(["a\n", "--=_0123\n", "--=_0123a--", "æ", "æ" * 30, "From x\n", "x" * 999, "\0", "\ud800"])
).map("".join)


@given(texts, texts)
def test_the_quick_way_is_the_same_as_the_long_one(text: str, html: str) -> None:
    """Text and HTML without files make the same body in one step, or the long way is taken."""
    quick = _usual(text, html, "0123")
    long = _any(Letter("k", 0, text=text, html=html), "0123", "example.com")
    if "=_0123" in text + html and quick is None:
        assert long.mark != b"=_0123"
    else:
        assert quick == long
