"""The order of pipes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailweir.upstream import Ends, upstream_first

names = st.sampled_from("abcdefgh")


@given(st.dictionaries(names, st.lists(names, max_size=3), min_size=1), st.sets(names))
def test_each_pipe_comes_behind_what_it_reads(reads: dict[str, list[str]], left_out: set[str]) -> None:
    """All that are wanted come once; where there is no circle, writers come first, and else the order of the files."""
    order = sorted(reads)
    ends = {name: Ends(tuple(one for one in reads[name] if one < name), (name,)) for name in order}
    wanted = set(reads) - left_out
    found = upstream_first(ends, wanted)
    assert sorted(found) == sorted(wanted)
    for name in found:
        assert all(one not in wanted or found.index(one) < found.index(name) for one in ends[name].reads)
    alone = [name for name in found if not ends[name].reads]
    assert alone == sorted(alone, key=found.index)


@given(st.dictionaries(names, st.lists(names, max_size=4), min_size=1))
def test_circles_have_an_order_too(reads: dict[str, list[str]]) -> None:
    """Whatever reads whatever, each pipe comes once."""
    ends = {name: Ends(tuple(read), (name,)) for name, read in reads.items()}
    assert sorted(upstream_first(ends, set(reads))) == sorted(reads)


def test_a_long_chain_is_no_problem() -> None:
    """However many pipes stand behind each other."""
    ends = {str(number): Ends((str(number + 1),), (str(number),)) for number in range(20_000)}
    assert upstream_first(ends, set(ends)) == [str(number) for number in reversed(range(20_000))]
