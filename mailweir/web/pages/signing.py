"""Signing in and out, and the files that pages are made with: what browsers get before anybody is known."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from mailweir.web.access import digest_of
from mailweir.web.pages.rendering import TYPES
from mailweir.web.route import Form, Query, RefusedError, Reply, Route
from mailweir.web.sessions import CODE_SECONDS, SESSION_SECONDS
from pipeline.state import place

if TYPE_CHECKING:
    from mailweir.web.access import Keys
    from mailweir.web.pages.answering import Pages
    from mailweir.web.route import Call
    from mailweir.web.sessions import Seal
    from mailweir.web.site import Site

FOLDER: Final = "opened"
_html: Final = Reply("A page.", media="text/html")


class Signing:
    """The answers."""

    def __init__(self, site: Site, pages: Pages, keys: Keys, *, secure: bool) -> None:
        """A `secure` cookie is sent over TLS only."""
        self._site = site
        self._pages = pages
        self._keys = keys
        self._secure = secure

    def routes(self) -> list[Route]:
        """Open to everybody: they show nothing but the way in."""
        return [
            Route(
                "GET", "/open", "signInPage", None, "Sign in: with a code of the terminal, or with a token.",
                self.open, query={"code": Query("text", "opens one session, once")}, replies={200: _html}, page=True,
            ),
            Route(
                "POST", "/open", "signIn", None, "Sign in with a token.", self.sign_in,
                body=Form({"token": "one", "to": "one"}), replies={303: _html}, refuses={401: "a wrong token"},
                page=True,
            ),
            Route(
                "POST", "/close", "signOut", "view", "Sign out.", self.sign_out, body=Form({}), replies={303: _html},
                page=True,
            ),
            Route(
                "GET", "/static/{name}", "asset", None, "What pages are made with.", self.asset,
                query={"v": Query("text", "its version")}, replies={200: Reply("The file.", media="text/css")},
                refuses={404: "no such file"}, page=True,
            ),
        ]  # fmt: skip

    async def open(self, call: Call) -> Response:
        """With a code, a session; without, a form for the token."""
        code = call.query.get("code")
        if code is None:
            return self._pages.bare("sign_in.html", title="Sign in", detail="", request="", again="")
        opened = self._seal.open("code", code, self._site.clock.wall())
        if opened is None or self._keys.known(opened.digest) is None or not self._first(opened.nonce):
            raise RefusedError(401, "this address opens nothing any more: `mailweir status` prints a new one")
        return self._entered(opened.digest, "/")

    async def sign_in(self, call: Call) -> Response:
        """With a token."""
        token = str(call.form.get("token", "")).strip()
        digest = digest_of(token)
        if self._keys.known(digest) is None:
            raise RefusedError(401, "this token is not valid")
        to = str(call.form.get("to", "/"))
        # Only a path of ours: `//host` and `/\host` are addresses of others.
        return self._entered(
            digest, to if to.startswith("/") and to[1:2] not in {"/", "\\"} and to.isprintable() else "/"
        )

    async def sign_out(self, call: Call) -> Response:
        """The browser forgets its session."""
        answer = self._pages.to("/open")
        answer.set_cookie(self._seal.name, "", max_age=0, httponly=True, samesite="strict", secure=self._secure)
        return answer

    async def asset(self, call: Call) -> Response:
        """One file, kept by browsers as long as its address has this version."""
        name = call.path["name"]
        data = self._pages.renderer.assets.get(name)
        if data is None:
            raise RefusedError(404, "there is no such file")
        current = self._pages.renderer.is_current(name, call.query.get("v"))
        kept = "public, max-age=31536000, immutable" if current else "no-cache"
        # A worker obeys the policy of its own file, not that of the page: it listens to events.
        headers = {"Cache-Control": kept, "Content-Security-Policy": "default-src 'none'; connect-src 'self'"}
        return Response(data, headers=headers, media_type=TYPES[name[name.rfind(".") :]])

    @property
    def _seal(self) -> Seal:
        assert self._site.seal is not None  # noqa: S101 - pages are served
        return self._site.seal

    def _entered(self, digest: str, to: str) -> Response:
        until = self._site.clock.wall() + SESSION_SECONDS
        session = self._seal.seal("session", digest, secrets.token_hex(16), until)
        answer = self._pages.to(to)
        answer.set_cookie(
            self._seal.name, session, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=self._secure
        )
        return answer

    def _first(self, nonce: str) -> bool:
        """Whether the code with this nonce was not used before, whoever asked."""
        folder = self._site.folder / FOLDER
        place.prepare(folder, network=False)
        self._tidy(folder)
        return place.make_file(folder / nonce)

    def _tidy(self, folder: Path) -> None:
        """Codes that hold no longer need not be remembered."""
        end = self._site.clock.wall() - 2 * CODE_SECONDS
        for path in folder.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < end:
                    path.unlink()
