import json
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.calls.manifest import (
    Entry,
    Fault,
    Line,
    ManifestEntry,
    ManifestError,
    csv_reader,
    read_csv,
    read_line,
)
from callgrade.calls.urls import Sources

URL = "https://storage.example.com/C-1.wav"


def numbered(text: str | bytes) -> Iterator[Line]:
    data = text if isinstance(text, bytes) else text.encode()
    return iter(enumerate(data.split(b"\n"), start=1))


def read_manifest(lines: Iterable[Line], kind: str) -> Iterator[Entry | Fault]:
    if kind == "csv":
        return read_csv(lines)[1]
    return (read_line(number, line) for number, line in lines if line is None or line.strip())


def only(found: list[Entry | Fault]) -> ManifestEntry:
    assert len(found) == 1
    assert isinstance(found[0], Entry)
    return found[0].entry


def test_an_entry_of_json_has_a_transcripts_fields() -> None:
    line = {
        "audio_url": URL,
        "call_id": "C-1",
        "started_at": "2026-11-01T09:30:00+08:00",
        "agent": {"id": "8031", "team": "sales-2"},
        "facts": {"direction": "outbound", "hold_ms": [1200]},
        "agent_channel": "1",
    }
    entry = only(list(read_manifest(numbered(json.dumps(line)), "ndjson")))
    assert entry.audio_url == URL
    assert entry.agent is not None
    assert (entry.agent.id, entry.agent.team, entry.agent_channel) == ("8031", "sales-2", "1")
    assert entry.facts == {"direction": "outbound", "hold_ms": [1200]}
    assert entry.metadata.file_name == "C-1.wav"
    assert not hasattr(entry.metadata, "audio_url")
    assert entry.metadata.missing == ("ended_at", "customer")
    assert ManifestEntry.model_validate_json(entry.model_dump_json()) == entry


def test_an_entry_of_csv_is_the_same_one() -> None:
    text = (
        "audio_url,call_id,started_at,agent.id,team,facts.direction,facts.complaint,facts.holds,facts.extension,queue\n"
        f'{URL},C-1,2026-11-01T09:30:00+08:00,8031,"sales, 2",outbound,TRUE,[1200],0123,\n'
    )
    entry = only(list(read_manifest(numbered(text), "csv")))
    assert entry.agent is not None
    assert (entry.agent.id, entry.agent.team) == ("8031", "sales, 2")
    assert entry.facts == {"direction": "outbound", "complaint": True, "holds": [1200], "extension": "0123"}
    assert entry.queue is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_as_spreadsheets_save_it(delimiter: str) -> None:
    text = f"\ufeff{delimiter.join(['Call_ID', ' audio_url'])}\r\n{delimiter.join(['C-1', URL])}\r\n\r\n"
    assert only(list(read_manifest(numbered(text), "csv"))).call_id == "C-1"


def test_a_bad_line_is_told_with_its_number_and_stops_nothing() -> None:
    lines = [
        json.dumps({"audio_url": URL, "call_id": "C-1"}),
        "",
        "not json",
        json.dumps({"audio_url": "http://169.254.169.254/", "call_id": "C-2"}),
        json.dumps({"audio_url": URL}),
        json.dumps(["C-3"]),
        json.dumps({"audio_url": URL, "call_id": "C-4", "turns": []}),
        json.dumps({"audio_url": URL, "call_id": "C-5"}),
    ]
    found = list(read_manifest(numbered("\n".join(lines)), "ndjson"))
    assert [item.line for item in found] == [1, 3, 4, 5, 6, 7, 8]
    assert [item.line for item in found if isinstance(item, Fault)] == [3, 4, 5, 6, 7]
    assert {item.error.type for item in found if isinstance(item, Fault)} == {"manifest", "url-refused"}
    assert {item.error.status for item in found if isinstance(item, Fault)} == {422}


def test_a_quote_that_is_never_closed_spoils_its_own_line_only() -> None:
    text = f'call_id,audio_url\nC-1,{URL}\n"C-2,{URL}\nC-3,{URL}\nC-4\nC-5,{URL},x\nC-6,{URL}'
    found = list(read_manifest(numbered(text), "csv"))
    assert [(item.line, isinstance(item, Entry)) for item in found] == [
        (2, True), (3, False), (4, True), (5, False), (6, False), (7, True),
    ]  # fmt: skip


def test_lines_that_cannot_be_read_are_faults() -> None:
    found = list(read_manifest([(1, None), (2, "通话".encode("gbk")), (3, b'{"call_id": NaN}')], "ndjson"))
    assert [str(item.error) for item in found if isinstance(item, Fault)] == [
        "is too long", "is not UTF-8 text; save the file as UTF-8", "is no JSON",
    ]  # fmt: skip


def test_numbers_beyond_all_bounds_are_no_facts() -> None:
    line = json.dumps({"audio_url": URL, "call_id": "C-1", "facts": {"x": 0}}).replace('"x": 0', '"x": 1e999')
    assert isinstance(read_line(1, line.encode()), Fault)
    text = f"audio_url,call_id,facts.x\n{URL},C-1,1e999"
    assert only(list(read_manifest(numbered(text), "csv"))).facts == {"x": "1e999"}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"call_id,agent.id", "audio_url"),
        (b"audio_url,agent.id", "call_id"),
        (b"audio_url,call_id,colour", "means nothing here"),
        (b"audio_url,call_id,team,agent.team", "twice"),
        (b"audio_url,call_id,audio_url", "twice"),
        (b'audio_url,"call_id', "quote"),
        (b"", "audio_url"),
        (None, "too long"),
        ("通话".encode("gbk"), "UTF-8"),
    ],
)
def test_a_header_that_makes_no_sense_of_any_line(header: bytes | None, said: str) -> None:
    with pytest.raises((ManifestError), match=said):
        csv_reader(header)


def test_no_message_repeats_what_stands_in_the_line() -> None:
    for fields in (
        {"audio_url": "http://10.0.0.7/13800138000", "call_id": "C-1"},
        {"audio_url": URL, "call_id": "C-1", "13800138000": 1},
        {"audio_url": URL, "call_id": "C-1", "started_at": "13800138000x"},
        {"audio_url": URL, "call_id": "C-1", "agent_channel": "13800138000"},
        {"audio_url": URL, "call_id": "C-1", "agent": {"id": 13800138000, "13800138000": 1}},
    ):
        found = read_line(1, json.dumps(fields).encode())
        assert isinstance(found, Fault)
        assert "13800138000" not in str(found.error)
        assert "10.0.0.7" not in str(found.error)


def test_private_hosts_where_they_are_allowed() -> None:
    line = json.dumps({"audio_url": "http://127.0.0.1:9000/a.wav", "call_id": "C-1"}).encode()
    assert isinstance(read_line(1, line), Fault)
    assert isinstance(read_line(1, line, Sources(private=True)), Entry)
    assert isinstance(read_line(1, line, Sources(hosts=("127.0.0.1",))), Entry)


def test_only_hosts_that_are_named_where_any_are() -> None:
    sources = Sources(hosts=("storage.example.com", "*.pbx.internal"))
    for host, taken in {
        "storage.example.com": True,
        "STORAGE.example.com": True,
        "a.b.pbx.internal": True,
        "pbx.internal": False,
        "evilpbx.internal": False,
        "example.com": False,
        "127.0.0.1": False,
    }.items():
        line = json.dumps({"audio_url": f"http://{host}/a.wav?sig=1", "call_id": "C-1"}).encode()
        found = read_line(1, line, sources)
        assert isinstance(found, Entry) == taken, host
        assert taken or "sig" not in str(found)


def test_metadata_hosts_are_refused_though_they_are_named() -> None:
    for host in ("169.254.169.254", "metadata.google.internal"):
        line = json.dumps({"audio_url": f"http://{host}/", "call_id": "C-1"}).encode()
        assert isinstance(read_line(1, line, Sources(hosts=(host,))), Fault)


def test_a_priority_is_a_small_number() -> None:
    text = f"audio_url,call_id,priority\n{URL},C-1,"
    assert only(list(read_manifest(numbered(f"{text}7"), "csv"))).priority == 7
    for written in ("10", "-1", "high"):
        assert isinstance(next(read_manifest(numbered(text + written), "csv")), Fault)


def test_an_end_before_the_beginning_is_a_fault() -> None:
    fields = {
        "audio_url": URL,
        "call_id": "C-1",
        "started_at": "2026-11-01T09:30:00Z",
        "ended_at": "2026-11-01T09:29:00Z",
    }
    found = read_line(7, json.dumps(fields).encode())
    assert isinstance(found, Fault)
    assert "ended_at lies before started_at" in str(found.error)


@pytest.mark.parametrize(
    "fields",
    [{"queue": "x" * 201}, {"agent": {"id": "a\0b"}}, {"customer": {"id": "x" * 201}}, {"facts": {"a": "\ud800"}}],
)
def test_what_a_database_cannot_keep_is_a_fault(fields: dict[str, object]) -> None:
    line = json.dumps({"audio_url": URL, "call_id": "C-1", **fields})
    assert isinstance(read_line(1, line.encode()), Fault)


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=8))
def test_any_bytes_give_entries_and_faults(lines: list[bytes]) -> None:
    given_ = [b"audio_url,call_id", *lines]
    for kind in ("csv", "ndjson"):
        found = list(read_manifest(list(enumerate(given_, start=1)), kind))
        assert [item.line for item in found] == sorted({item.line for item in found})
        assert len(found) <= len(given_)
