"""A local HTTP server that speaks the parts of Kubeflow Pipelines' v2beta1 API that a submission uses.

It keeps what it is sent, plays runs step by step, and answers as the API does when something is wrong: `{"error",
"code", "message"}`.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TIME = "2026-01-01T00:00:{:02d}Z"


@dataclass
class Backend:
    """What the server holds and how it behaves.

    Attributes:
      multi_user: Whether everything belongs to a namespace.
      namespaces: Those that there are.
      tokens: Valid tokens; none for an API that asks for none.
      states: States of a run, one for each look at it; the last one stays.
      tasks: Steps of a run for each look, as the API has them; the last ones stay.
      logs: Pod -> its log.
      broken_looks: How many looks at a run are answered with 503 first.
      expires_after_looks: After how many looks at a run no token is valid any more.
      requests: Every request: method, path, query, body.
    """

    multi_user: bool = False
    namespaces: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    states: tuple[str, ...] = ("PENDING", "RUNNING", "SUCCEEDED")
    tasks: tuple[list[dict[str, Any]], ...] = ([],)
    logs: dict[str, str] = field(default_factory=dict)
    broken_looks: int = 0
    expires_after_looks: int | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    looks: int = 0

    def sent(self, method: str) -> list[dict[str, Any]]:
        """Returns the requests with a method, in order."""
        return [each for each in self.requests if each["method"] == method]

    def add(self, kind: str, key: str, values: dict[str, Any]) -> dict[str, Any]:
        """Stores an object under a new id."""
        table = self.objects.setdefault(kind, {})
        stored = {**values, key: f"{kind}-{len(table) + 1}"}
        table[stored[key]] = stored
        return stored

    def find(self, kind: str, query: dict[str, str], **equal: str) -> list[dict[str, Any]]:
        """Returns the objects that a filter by display name and more lets through."""
        wanted = json.loads(query["filter"])["predicates"][0]
        assert wanted["operation"] == "EQUALS"
        found = [each for each in self.objects.get(kind, {}).values() if each[wanted["key"]] == wanted["stringValue"]]
        return [each for each in found if equal.items() <= each.items()]


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def serving(backend: Backend) -> Iterator[str]:
    """Runs the server on a free port of the loopback; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"backend": backend}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    backend: Backend

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_DELETE = do_GET  # noqa: N815 - as above

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upload = (self.headers.get("Content-Type") or "").startswith("multipart/form-data")
        body = _uploaded(self.headers["Content-Type"], raw) if upload else json.loads(raw) if raw else None
        request = {"method": self.command, "path": parts.path, "query": query, "body": body}
        self.backend.requests.append(request)
        try:
            self._check_token()
            answer = _route(self.backend, request)
            self._send(200, answer)
        except ApiError as error:
            self._send(error.status, {"error": str(error), "code": 5, "message": str(error)})

    def _check_token(self) -> None:
        valid = {f"Bearer {token}" for token in self.backend.tokens}
        bound = self.backend.expires_after_looks
        expired = bound is not None and self.backend.looks >= bound
        if expired or (valid and self.headers.get("Authorization") not in valid):
            raise ApiError(401, "Request header error: the token has expired.")

    def _send(self, status: int, answer: Any) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _uploaded(content_type: str, raw: bytes) -> dict[str, str]:
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    (part,) = message.iter_parts()
    name = part.get_param("name", header="content-disposition")
    return {"field": name, "file": part.get_filename(), "text": part.get_payload(decode=True).decode()}


def _route(backend: Backend, request: dict[str, Any]) -> Any:
    method, path, query, body = (request[name] for name in ("method", "path", "query", "body"))
    words = path.strip("/").split("/")
    if words[:2] == ["apis", "v1alpha1"]:
        return _log(backend, words)
    if words[:2] != ["apis", "v2beta1"]:
        raise ApiError(404, f"no such page: {path}")
    _check_namespace(backend, query.get("namespace") or (body or {}).get("namespace"), words[2])
    match (method, *words[2:]):
        case ("GET", "healthz"):
            return {"multi_user": backend.multi_user, "pipeline_store": "database"}
        case ("GET", "pipelines"):
            return {"pipelines": backend.find("pipelines", query)}
        case ("POST", "pipelines"):
            return backend.add("pipelines", "pipeline_id", body)
        case ("GET", "pipelines", pipeline, "versions"):
            return {"pipeline_versions": backend.find("versions", query, pipeline_id=pipeline)}
        case ("POST", "pipelines", "upload_version"):
            values = {"display_name": query["name"], "pipeline_id": query["pipelineid"]}
            return backend.add("versions", "pipeline_version_id", values)
        case ("GET", "experiments"):
            return {"experiments": backend.find("experiments", query)}
        case ("POST", "experiments"):
            return backend.add("experiments", "experiment_id", body)
        case ("POST", "runs"):
            return backend.add("runs", "run_id", body)
        case ("GET", "runs", run):
            return _look(backend, run)
        case ("GET", "recurringruns"):
            return {"recurringRuns": backend.find("recurring", query, experiment_id=query["experiment_id"])}
        case ("POST", "recurringruns"):
            return backend.add("recurring", "recurring_run_id", body)
        case ("DELETE", "recurringruns", recurring):
            del backend.objects["recurring"][recurring]
            return {}
    raise ApiError(404, f"no such endpoint: {method} {path}")


def _check_namespace(backend: Backend, namespace: str | None, kind: str) -> None:
    if namespace and not backend.multi_user:
        raise ApiError(400, "In single-user mode, a namespace cannot be used to filter.")
    if namespace and namespace not in backend.namespaces:
        raise ApiError(404, f'namespaces "{namespace}" not found')
    if backend.multi_user and not namespace and kind in ("experiments",):
        raise ApiError(400, "Invalid input error: namespace is empty")


def _look(backend: Backend, run: str) -> dict[str, Any]:
    if run not in backend.objects.get("runs", {}):
        raise ApiError(404, f"Run {run} not found")
    if backend.broken_looks > 0:
        backend.broken_looks -= 1
        raise ApiError(503, "upstream connect error")
    look, backend.looks = backend.looks, backend.looks + 1
    tasks = backend.tasks[min(look, len(backend.tasks) - 1)]
    state = backend.states[min(look, len(backend.states) - 1)]
    return {**backend.objects["runs"][run], "state": state, "run_details": {"task_details": tasks}}


def _log(backend: Backend, words: list[str]) -> str:
    pod = words[words.index("nodes") + 1]
    if pod not in backend.logs:
        raise ApiError(404, f"log of {pod} not found")
    return backend.logs[pod]


def task(name: str, state: str, pod: str = "", children: tuple[str, ...] = (), seconds: int = 5) -> dict[str, Any]:
    """Returns a step as the API has it; its id is its name."""
    return {
        "task_id": f"node-{name}",
        "display_name": name,
        "state": state,
        "pod_name": pod or f"pod-{name}",
        "start_time": TIME.format(0),
        "end_time": TIME.format(seconds) if state not in ("RUNNING", "PENDING") else None,
        "child_tasks": [{"task_id": f"node-{child}"} for child in children],
    }
