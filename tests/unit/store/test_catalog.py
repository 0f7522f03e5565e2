from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.errors import CatalogError, UnlistedModelError
from wyoming_stt.models.registry import families
from wyoming_stt.store import Catalog
from wyoming_stt.store.catalog import read_entries

ENTRY = """
[my-model]
title = "Mine"
family = "zipformer2"
streaming = true
languages = ["cy"]
version = "1"
licence = "MIT"
memory = "small"
speed = "fast"
"""
FILES = 'files = [{ path = "tokens.txt", urls = ["https://a.example/tokens.txt"] }]'


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.read()


def read(folder: Path, text: str):
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return read_entries(file)


def test_a_file_that_makes_no_sense_is_an_error_or_left_out(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(f"{ENTRY}{FILES}", encoding="utf-8")
    bad.write_text(ENTRY, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"bad\.toml: my-model"):
        Catalog.read([bad, good])
    told: list[CatalogError] = []
    assert Catalog.read([bad, good], told.append).find("my-model").title == "Mine"
    assert ["bad.toml: my-model" in str(error) for error in told] == [True]


def test_every_family_that_needs_files_is_in_it_and_no_other(catalog: Catalog) -> None:
    named = {spec.family for spec in catalog}
    assert named == {family.name for family in families()} - {"fake"}


def test_every_download_is_over_an_encrypted_connection(catalog: Catalog) -> None:
    for spec in catalog:
        for remote in spec.downloads:
            assert all(url.startswith("https://") for url in remote.urls)


def test_no_two_files_claim_one_address(catalog: Catalog) -> None:
    urls = [url for spec in catalog for remote in spec.downloads for url in remote.urls[:1]]
    assert len(set(urls)) == len(urls)


def test_memory_classes_fit_the_weights(catalog: Catalog) -> None:
    for spec in catalog:
        if spec.files and spec.download_bytes:
            most = {"small": 50, "medium": 150, "large": 1000}[spec.memory]
            assert spec.download_bytes <= most * 1_000_000, spec.id


def test_each_loads_with_a_name_for_each_role(catalog: Catalog) -> None:
    for spec in catalog:
        if spec.files:
            names = [file.path.rpartition("/")[2] for file in spec.files]
            for role in ("encoder", "decoder", "joiner"):
                assert sum(name.startswith(role) for name in names) == 1, spec.id
            assert "tokens.txt" in names


def test_a_model_is_found_by_its_publishers_name(catalog: Catalog) -> None:
    name = "sherpa-onnx-streaming-zipformer-en-2023-06-26"
    assert catalog.find(name).id == "zipformer-en"
    assert catalog.find(f"{name}.tar.bz2").id == "zipformer-en"


def test_a_name_that_is_nearly_right_is_understood(catalog: Catalog) -> None:
    with pytest.raises(UnlistedModelError, match="did you mean kroko-en"):
        catalog.find("kroko_en")
    with pytest.raises(UnlistedModelError, match="models list"):
        catalog.find("/////")


def test_an_entry_of_the_users_replaces_ours(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(ENTRY.replace("my-model", "kroko-en") + FILES, encoding="utf-8")
    assert Catalog.read([own]).find("kroko-en").title == "Mine"


def test_files_share_a_base(tmp_path: Path) -> None:
    shared = (
        'base = ["https://a.example", "https://b.example"]\nfiles = [{ path = "x/tokens.txt" }]'
    )
    (entry,) = read(tmp_path, ENTRY + shared)
    urls = ("https://a.example/x/tokens.txt", "https://b.example/x/tokens.txt")
    assert entry.files[0].urls == urls


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ENTRY, "my-model: needs either files or an archive"),
        (ENTRY + FILES.replace("https:", "http:"), "only https://"),
        (ENTRY + FILES.replace("https:", "file:"), "must be an http"),
        (ENTRY + FILES.replace('"tokens.txt"', '"../tokens.txt"'), "inside the model's folder"),
        (ENTRY + FILES.replace('"tokens.txt"', '"/etc/passwd"'), "inside the model's folder"),
        (ENTRY + FILES.replace("[{", "[{ size = -1,"), "greater than 0"),
        (ENTRY + FILES.replace("[{", '[{ sha256 = "ABC",'), "sha256"),
        (ENTRY + FILES.replace("}]", "}, " + FILES[9:]), "names a file twice"),
        (ENTRY.replace("my-model", '"../up"') + FILES, "up.id"),
        (ENTRY.replace('"1"', '"../1"') + FILES, "my-model.version"),
        (ENTRY.replace('"small"', '"tiny"') + FILES, "'small', 'medium' or 'large'"),
        (ENTRY.replace("licence", "license") + FILES, "licen"),
        (ENTRY + 'files = "all"', "my-model.files"),
        (ENTRY + 'base = 3\nfiles = ["a"]', "my-model"),
        ("model = 1", "expected an entry of its own"),
        ("[", "not TOML"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(CatalogError) as failed:
        read(tmp_path, text)
    assert reason in str(failed.value)
    assert "own.toml" in str(failed.value)


def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot read"):
        read_entries(tmp_path / "absent.toml")
    with pytest.raises(CatalogError, match="larger than"):
        read(tmp_path, "#" * 1_000_001)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogError, match="cannot read"):
        read_entries(tmp_path / "bytes.toml")


@given(text=st.text())
def test_any_text_is_a_catalogue_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    try:
        entries = read(tmp_path_factory.mktemp("any"), text)
    except CatalogError:
        return
    assert entries == []
