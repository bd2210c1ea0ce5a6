"""Adds the page to the local server's HTTP application.

    /                      the page
    /page/...              its styles and scripts
    /page/users.json       example users, if any were given
    /page/vocabulary.json?model=interests&version=3   names that a version knows

What it shows comes from the server's REST API; nothing is loaded from elsewhere.
"""

import asyncio
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from interest_migration.errors import DataError
from interest_migration.page.example_users import ExampleUsers, read_example_users
from interest_migration.page.vocabulary import read_vocabulary

STATIC: Final = Path(__file__).with_name("static")
_SAME_ORIGIN: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""The browser itself refuses whatever would come from another host."""
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class Page:
    """The page with what it is given to begin with.

    Args:
      examples: Raw examples of a run, a gzip TFRecord file or a folder of them; None offers no users.

    Raises:
      DataError: If there are no such examples.
    """

    def __init__(self, examples: Path | None = None) -> None:
        self._users = read_example_users(examples) if examples else ExampleUsers()

    def mount(self, app: web.Application, state: Any) -> None:
        """Adds the page's routes.

        Args:
          app: The server's application, before it starts.
          state: The server's state, `interest_migration.server.state.ServerState`.
        """
        models = Path(state.settings.models)
        app.router.add_get("/", self._index)
        app.router.add_get("/page/users.json", self._tell_users)
        app.router.add_get("/page/vocabulary.json", lambda request: self._tell_vocabulary(request, models))
        app.router.add_get(r"/page/{name:[a-z_]+\.(?:css|js)}", self._asset)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.FileResponse(STATIC / "index.html", headers=_SAME_ORIGIN)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        path = STATIC / request.match_info["name"]
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={**_SAME_ORIGIN, "Content-Type": _TYPES[path.suffix]})

    async def _tell_users(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"users": self._users.users}, headers=_SAME_ORIGIN)

    async def _tell_vocabulary(self, request: web.Request, models: Path) -> web.Response:
        name, version = request.query.get("model", ""), request.query.get("version", "")
        known = [path for path in models.iterdir() if path.is_dir() and path.name == name]
        if not known or not (version.isascii() and version.isdigit()):
            raise web.HTTPNotFound(text=f"expected a served model and its version, received {name!r} {version!r}")
        try:
            paths = self._users.item_paths or {}
            told = await asyncio.to_thread(read_vocabulary, known[0] / version, paths)
        except DataError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        return web.json_response(told, headers=_SAME_ORIGIN)
