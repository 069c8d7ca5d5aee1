"""A gate between Casebook and one of its databases: a TCP address that can be shut or fall silent."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from tests.kill.servers import free_port

Answer = TypeVar("Answer")


class Gate:
    """Hands every byte through to a database's unix socket, until it is told otherwise."""

    def __init__(self, socket: Path) -> None:
        self.port = free_port()
        self._socket = socket
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = Thread(target=self._loop.run_forever, name="gate", daemon=True)
        self._thread.start()
        self.open()

    def url(self, url: str) -> str:
        """The database's own URL, but through this gate."""
        user, _, rest = url.partition("@/")
        return f"{user}@127.0.0.1:{self.port}/{rest.partition('?')[0]}"

    def open(self) -> None:
        """Let everybody through."""
        self._do(self._open())

    def shut(self) -> None:
        """Break off every connection and refuse new ones, as a machine does on which nothing listens."""
        self._do(self._shut())

    def fall_silent(self) -> None:
        """Take everything and hand nothing on, without closing: a cable that was pulled somewhere behind."""
        self._do(self._silent(silent=True))

    def speak(self) -> None:
        """Hand on what waited, and what comes."""
        self._do(self._silent(silent=False))

    def end(self) -> None:
        """Shut it for good."""
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._let_in, "127.0.0.1", self.port)

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._flowing.set()
        for writer in list(self._writers):
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.005)

    async def _silent(self, *, silent: bool) -> None:
        if silent:
            self._flowing.clear()
        else:
            self._flowing.set()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            inner_reader, inner_writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(inner_writer)
        await asyncio.gather(self._pump(reader, inner_writer), self._pump(inner_reader, writer))
        self._writers -= {writer, inner_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                await self._flowing.wait()
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            await self._flowing.wait()
            writer.transport.abort()
