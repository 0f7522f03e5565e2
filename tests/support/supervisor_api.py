"""As much of Home Assistant's Supervisor as an app talks to: it takes discovery messages."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TOKEN = "0123456789abcdef"  # noqa: S105 (of nothing but this)
PATIENCE_S = 60.0


class Supervisor:
    """Serves HTTP on port 80 of the network that it is made in."""

    def __init__(self) -> None:
        self.discovered: list[dict[str, Any]] = []
        self._heard = threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 (`self` is the supervisor)
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                known = handler.headers["Authorization"] == f"Bearer {TOKEN}"
                if handler.path != "/discovery" or not known:
                    handler.send_error(403)
                    return
                answer = b'{"result": "ok", "data": {"uuid": "6f2a"}}'
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(answer)))
                handler.end_headers()
                handler.wfile.write(answer)
                with self._heard:
                    self.discovered.append(json.loads(body))
                    self._heard.notify_all()

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 80), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="supervisor")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, messages: int) -> None:
        with self._heard:
            arrived = self._heard.wait_for(lambda: len(self.discovered) >= messages, PATIENCE_S)
        assert arrived, f"{len(self.discovered)} discovery messages within {PATIENCE_S} s"
