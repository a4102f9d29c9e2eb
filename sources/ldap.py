"""Entries of a directory as a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Context, Many, Refers
from pipeline.config.given import advice
from sources.dataset import ContinuationConfig
from sources.ldap_filter import filter_fault
from sources.parts import OnError
from systems.ldap.config import LdapConfig
from systems.ldap.types import time_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.ldap_read import LdapSource


class LdapSourceConfig(ContinuationConfig):
    """Entities from the entries of a directory that a search finds. It reads, and changes nothing.

    The attributes of an entry are the properties; one with several values is a list. Numbers, booleans, times, UUIDs
    and bytes are values of their types, as the directory's schema says; all else is text. `dn` is the entry's name.
    """

    type: Literal["ldap"]
    """`ldap`."""
    system: Annotated[str, Refers("system", LdapConfig, "speak LDAP")]
    """The `_id` of the directory."""
    search_base: str
    """The entry where the search begins: `ou=people,dc=example,dc=com`."""
    search_filter: str = "(objectClass=*)"
    """Which entries are found, as RFC 4515 writes it: `(&(objectClass=person)(mail=*))`."""
    scope: Literal["subtree", "level", "base"] = "subtree"
    """How far it goes: all that is below the base and the base itself (`subtree`), what stands directly below
    (`level`), or the base alone (`base`)."""
    attributes: str | Annotated[Many[str], Field(min_length=1)] = "*"
    """The attributes to read, one or a list. `*` is all that people write and `+` what the server keeps of its own;
    attributes that hold passwords come only if they are named."""
    blacklist: Many[str] = ()
    """These attributes become no properties."""
    id_attribute: str = "dn"
    """The attribute that becomes the `_id`: one with one value that never changes, such as `entryUUID` or `objectGUID`.
    `dn` is the entry's name, which changes when it is moved."""
    updated_attribute: str | None = None
    """The attribute that says when an entry was changed: `modifyTimestamp`, or `whenChanged` of Active Directory. With
    it a run reads entries from the last change on that was seen. It becomes a property only if `attributes` name it, or
    with `+`."""
    page_size: int = Field(default=500, ge=0, le=100_000)
    """How many entries are fetched at a time; 0 is for servers that do not know pages. Active Directory gives 1000."""
    on_error: OnError = "stop"
    """What is done with an entry without one value that can be its `_id`. `stop`: the run ends there, and what stands
    before it is delivered. `skip`: it is logged, counted and left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The filter is one, and so is the time to begin with."""
        text = given.text("search_filter")
        if text is not None and (wrong := filter_fault(text)) is not None:
            help_ = advice("for example `(&(objectClass=person)(mail=*))`")
            at = given.inside("search_filter", wrong.start, wrong.end) if wrong.end > wrong.start else None
            place = at or given.value("search_filter")
            yield given.problem("E203", f"`search_filter` {wrong.words}", "search_filter", at=place, notes=(help_,))
        initial = given.text("initial_since_value")
        if initial is not None and time_of(initial) is None:
            help_ = advice('such as "20260102030405Z"')
            message = "`initial_since_value` is no time as a directory writes it"
            yield given.problem("E203", message, "initial_since_value", notes=(help_,))

    def build(self, context: Context) -> LdapSource:
        """The source itself."""
        from sources.ldap_entries import Shape  # noqa: PLC0415 - the client is for those who read
        from sources.ldap_read import LdapSource  # noqa: PLC0415 - as above
        from systems.ldap.system import Ldap, Search  # noqa: PLC0415 - as above

        attributes = (self.attributes,) if isinstance(self.attributes, str) else self.attributes
        updated = self.updated_attribute if self.supports_since is not False else None
        shape = Shape(attributes, self.blacklist, self.id_attribute, self.updated_attribute)
        search = Search(self.search_base, self.search_filter, self.scope.upper(), shape.wanted, self.page_size)
        initial = None if self.initial_since_value is None else str(self.initial_since_value)
        return LdapSource(context.system(self.system, Ldap), search, shape, updated, self.on_error, initial)
