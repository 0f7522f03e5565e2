"""What comes first is held to from then on, so it has to be a model."""

import json

import pytest

from tests.support import hostile_http as http
from tests.support.archives import archive, entry
from tests.support.hostile_http import HostileServer
from tests.support.pulling import archived, content_of, holds, loose
from wyoming_stt.errors import ArchiveError, ChecksumError, DownloadError
from wyoming_stt.store import ModelStore

LOGIN = b"\n<!DOCTYPE html><html>Please log in</html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 50000\n"
GRAPH = content_of("1")["decoder.onnx"]
PACKED = "/sherpa-onnx-en-1.tar.bz2"


def recorded(store: ModelStore) -> dict[str, str]:
    path = store.layout.checksums
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


@pytest.mark.parametrize("wrong", [LOGIN, POINTER, GRAPH[:-1], GRAPH[:30_000], b"{}", b""])
def test_what_cannot_be_a_graph_is_not_taken_for_one(
    store: ModelStore, server: HostileServer, wrong: bytes
) -> None:
    entry_ = loose(server, checksums=False)
    right, page = GRAPH, server.pages["/1/decoder.onnx"]
    page.content = wrong
    with pytest.raises(DownloadError, match=r"decoder\.onnx cannot be downloaded"):
        store.pull(entry_)
    assert store.installed("en") is None
    assert recorded(store) == {}, "nothing of an entry is trusted before all of it is there"
    page.content = right
    assert len(store.pull(entry_).recorded) == len(recorded(store)) == len(entry_.files)
    assert holds(store.installed("en"), "1")


@pytest.mark.parametrize("wrong", [LOGIN, POINTER, b""])
def test_a_page_is_not_taken_for_a_list_of_tokens(
    store: ModelStore, server: HostileServer, wrong: bytes
) -> None:
    entry_ = loose(server, checksums=False)
    page = server.pages["/1/lang/tokens.txt"]
    right, page.content = page.content, wrong
    with pytest.raises(DownloadError, match=r"tokens\.txt cannot be downloaded"):
        store.pull(entry_)
    page.content = right
    store.pull(entry_)
    assert holds(store.installed("en"), "1")


@pytest.mark.parametrize(
    "wrong",
    [
        LOGIN,
        archive([entry("m/encoder.onnx", GRAPH)])[:-100],
        archive([entry("m/README.md")]),
        archive([entry("m/tokens.txt"), entry("m/encoder.txt")]),
        archive([entry("m/tokens.txt"), entry("m/encoder.onnx", POINTER)]),
        archive([entry("m/tokens.txt"), entry("../encoder.onnx", GRAPH)]),
        b"BZh9" + bytes(1000),
        b"",
    ],
)
def test_what_cannot_be_a_model_is_not_taken_for_an_archive_of_one(
    store: ModelStore, server: HostileServer, wrong: bytes
) -> None:
    entry_ = archived(server, checksums=False)
    page = server.pages[PACKED]
    right, page.content = page.content, wrong
    with pytest.raises((ArchiveError, DownloadError), match=r"sherpa-onnx-en-1\.tar\.bz2"):
        store.pull(entry_)
    assert store.installed("en") is None
    assert recorded(store) == {}
    page.content = right
    assert store.pull(entry_).recorded
    assert holds(store.installed("en"), "1")
    store.remove("en")
    page.content = archive([entry("m/encoder.onnx", GRAPH)])
    with pytest.raises(ChecksumError, match="what came first"):
        store.pull(entry_)


def test_an_archive_cut_short_by_its_length_is_fetched_anew(
    store: ModelStore, server: HostileServer
) -> None:
    entry_ = archived(server, checksums=False)
    page = server.pages[PACKED]
    page.faults = [http.claim(100_000), http.answer(416)]
    with pytest.raises(ArchiveError, match=r"damaged|ends too soon"):
        store.pull(entry_)
    store.pull(entry_)
    assert holds(store.installed("en"), "1")


def test_the_next_address_is_tried_after_a_page(store: ModelStore, server: HostileServer) -> None:
    entry_ = loose(server, checksums=False)
    files = []
    for number, file in enumerate(entry_.files):
        server.page(f"/mirror/{number}", LOGIN)
        urls = (server.url(f"/mirror/{number}"), *file.urls)
        files.append(file.model_copy(update={"urls": urls}))
    store.pull(entry_.model_copy(update={"files": tuple(files)}))
    assert holds(store.installed("en"), "1")
