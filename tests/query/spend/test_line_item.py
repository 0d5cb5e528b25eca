"""Every written shape of a line item is parsed; any other text stays as it is."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_viewer.query.spend.line_item import Modality, ParsedLine, Product, TokenKind, parse_line_item

IN, CACHED, OUT, WRITES = TokenKind.INPUT, TokenKind.CACHED_INPUT, TokenKind.OUTPUT, TokenKind.CACHE_WRITES
TEXT, AUDIO, IMAGE = Modality.TEXT, Modality.AUDIO, Modality.IMAGE

MEANINGS: dict[str, ParsedLine] = {
    text: ParsedLine(text, **meaning)  # type: ignore[arg-type] # the table's own names
    for text, meaning in {
        "gpt-4o-2024-08-06, input": {"model": "gpt-4o-2024-08-06", "kind": IN},
        "gpt-4o-2024-08-06, cached input": {"model": "gpt-4o-2024-08-06", "kind": CACHED},
        "gpt-4o-2024-08-06, output": {"model": "gpt-4o-2024-08-06", "kind": OUT},
        "gpt-5.4-2026-03-05, cache writes": {"model": "gpt-5.4-2026-03-05", "kind": WRITES},
        "gpt-6-astra, cache writes - 12hr": {"model": "gpt-6-astra", "kind": TokenKind.CACHE_WRITES_12H},
        "gpt-6-astra, cache writes - 30min": {"model": "gpt-6-astra", "kind": TokenKind.CACHE_WRITES_30M},
        "gpt-5.6-sol, output, long context": {"model": "gpt-5.6-sol", "kind": OUT, "long_context": True},
        "priority | gpt-5.6-sol, output, long context": {
            "surface": "priority", "model": "gpt-5.6-sol", "kind": OUT, "long_context": True,
        },
        "Flex | gpt-5-mini, cached input": {"surface": "flex", "model": "gpt-5-mini", "kind": CACHED},
        "flex | gpt-5-mini": {"surface": "flex", "model": "gpt-5-mini"},
        "batch | gpt-5-mini, input": {"surface": "batch", "model": "gpt-5-mini", "kind": IN},
        "evals | gpt-4o-mini-2024-07-18, input": {
            "surface": "evals", "model": "gpt-4o-mini-2024-07-18", "kind": IN,
        },
        "assistants api | file search": {"surface": "assistants api", "product": Product.FILE_SEARCH},
        "gpt-audio-mini-2025-12-15 audio, input": {
            "model": "gpt-audio-mini-2025-12-15", "modality": AUDIO, "kind": IN,
        },
        "gpt-image-1 image, cached input": {"model": "gpt-image-1", "modality": IMAGE, "kind": CACHED},
        "gpt-image-2-2026-04-21 text, output": {
            "model": "gpt-image-2-2026-04-21", "modality": TEXT, "kind": OUT,
        },
        "gpt-realtime-2.1, audio input": {"model": "gpt-realtime-2.1", "modality": AUDIO, "kind": IN},
        "gpt-realtime-2.1, cached audio input": {"model": "gpt-realtime-2.1", "modality": AUDIO, "kind": CACHED},
        "gpt-realtime-2.1, audio cached input": {"model": "gpt-realtime-2.1", "modality": AUDIO, "kind": CACHED},
        "gpt-6-astra, cache_write_12h_tokens": {"model": "gpt-6-astra", "kind": TokenKind.CACHE_WRITES_12H},
        "gpt-6-astra, cache writes - 30 minutes": {"model": "gpt-6-astra", "kind": TokenKind.CACHE_WRITES_30M},
        "gpt-realtime-2, cached_text_input_tokens": {"model": "gpt-realtime-2", "modality": TEXT, "kind": CACHED},
        "gpt-6-astra, input_tokens": {"model": "gpt-6-astra", "kind": IN},
        "gpt-6-astra, cached_input_tokens": {"model": "gpt-6-astra", "kind": CACHED},
        "gpt-6-astra, cache_write_tokens": {"model": "gpt-6-astra", "kind": WRITES},
        "gpt-6-astra, audio_output_tokens": {"model": "gpt-6-astra", "modality": AUDIO, "kind": OUT},
        "GPT-4o-2024-08-06 , Output": {"model": "GPT-4o-2024-08-06", "kind": OUT},
        "text-embedding-3-small, input": {"model": "text-embedding-3-small", "kind": IN},
        "ft-gpt-4o-2024-08-06, output": {"model": "ft-gpt-4o-2024-08-06", "kind": OUT},
        "ft:gpt-5.4-mini:northwind::support-7, input": {
            "model": "ft:gpt-5.4-mini:northwind::support-7", "kind": IN,
        },
        "whisper": {"model": "whisper"},
        "tts-1-hd": {"model": "tts-1-hd"},
        "web search tool calls": {"product": Product.WEB_SEARCH},
        "gpt-6-astra, web search tool calls": {"model": "gpt-6-astra", "product": Product.WEB_SEARCH},
        "responses api | web search tool calls": {"surface": "responses api", "product": Product.WEB_SEARCH},
        "gpt-5.6-sol, long context, output": {"model": "gpt-5.6-sol", "kind": OUT, "long_context": True},
        "gpt-5.6-sol, output (long context)": {},
        "gpt-5.6-sol, output, priority": {"surface": "priority", "model": "gpt-5.6-sol", "kind": OUT},
        "gpt-audio-2026-01-02, audio, output": {"model": "gpt-audio-2026-01-02", "modality": AUDIO, "kind": OUT},
        "gpt-audio-2026-01-02 text, audio output": {
            "model": "gpt-audio-2026-01-02 text", "modality": AUDIO, "kind": OUT,
        },
        "gpt-4.1-20250414, uncached input": {"model": "gpt-4.1-20250414", "kind": IN},
        "scale | gpt-6-astra, cached_input_tokens, long context": {
            "surface": "scale", "model": "gpt-6-astra", "kind": CACHED, "long_context": True,
        },
        "ft:gpt-5.4-mini:acme:storage:x1, output": {"model": "ft:gpt-5.4-mini:acme:storage:x1", "kind": OUT},
        "ft:gpt-5.4-mini:acme, web search:x1, output": {
            "model": "ft:gpt-5.4-mini:acme, web search:x1", "kind": OUT,
        },
        "code interpreter sessions": {"product": Product.CODE_INTERPRETER},
        "Vector storage": {"product": Product.STORAGE},
        "file search storage": {"product": Product.STORAGE},
        "complimentary daily tokens": {"model": "complimentary daily tokens"},
        "gpt-4o, refund": {},
        "gpt-4o, long context": {"model": "gpt-4o", "long_context": True},
        ", input": {},
        "input": {"model": "input"},
        "|": {},
        "": {},
    }.items()
}  # fmt: skip


@pytest.mark.parametrize("text", MEANINGS)
def test_written_shapes(text: str) -> None:
    assert parse_line_item(text) == MEANINGS[text]


@pytest.mark.parametrize(
    ("text", "tier", "is_batch"),
    [
        ("priority | m, input", "priority", False),
        ("batch | m, input", None, True),
        ("evals | m, input", None, False),
    ],
)
def test_surface(text: str, tier: str | None, is_batch: bool) -> None:
    line = parse_line_item(text)
    assert (line.tier, line.is_batch) == (tier, is_batch)


PIECES = (
    *("gpt-4o", "input", "output", "cached", "cache writes", "audio", "image", ",", " , ", "|", " | ", "flex"),
    *("long context", "- 12hr", "_tokens", " ", "-2024-08-06", "storage", "web search", "\u202e", "é"),
)
WORDS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def check(text: str) -> None:
    line = parse_line_item(text)
    assert line.text == text
    assert line.model != ""
    if line.product is not None:
        assert line.kind is None
    if line.kind is not None:
        assert line.model is not None


@given(WORDS | st.text(max_size=80))
@example("x" * 100_000)
@example("," * 10_000)
def test_any_text_is_parsed(text: str) -> None:
    check(text)


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None)
@given(WORDS | st.text())
def test_20000_random_texts_are_parsed(text: str) -> None:
    check(text)
