"""Accepted arguments, refused arguments, and the help texts."""

from datetime import datetime

import pytest

from usage_viewer.cli.arguments import FORMATS, build_parser
from usage_viewer.cli.view_parsing import parse_moment, parse_view
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey

RANGE = ("--from", "2026-10-01", "--to", "2026-11-01")
COMMON = ("--demo", "--base-url", "--profile", "--data-dir", "--verbose")
OWN = (
    "--from",
    "--to",
    "--per",
    "--group-by",
    "--filter",
    "--sort",
    "--metrics",
    "--format",
    "--no-store",
    "--dataset",
)


def view(*arguments: str) -> ViewState:
    return parse_view(build_parser().parse_args(["table", *RANGE, *arguments]))


def refused(*arguments: str) -> InputError:
    with pytest.raises(InputError) as raised:
        view(*arguments)
    return raised.value


class TestView:
    def test_range_only(self) -> None:
        parsed = view()
        assert (parsed.dataset_name, parsed.per, parsed.grouping, parsed.filters) == (
            "completions",
            Granularity.TOTAL,
            (),
            (),
        )
        assert (parsed.range.start, parsed.range.end) == (datetime(2026, 10, 1), datetime(2026, 11, 1))
        assert parsed.zone == "UTC"
        assert parsed.shown_columns == DATASETS["completions"].default_columns

    def test_all_options(self) -> None:
        parsed = view(
            *("--per", "day", "--group-by", "model, project_id", "--metrics", "output_tokens,input_tokens"),
            *("--sort", "-input_tokens,model", "--filter", "model=gpt-5", "--filter", "model=o5"),
            *("--filter", "project_id!=proj_1", "--filter", "api_key_id=", "--filter", "batch=Yes"),
        )
        assert parsed.keys == ("period", "model", "project_id", "output_tokens", "input_tokens")
        assert parsed.order == (SortKey("input_tokens", descending=True), SortKey("model"))
        assert parsed.filters == (
            Filter("model", frozenset(["gpt-5", "o5"])),
            Filter("project_id", frozenset(["proj_1"]), exclude=True),
            Filter("api_key_id", frozenset([None])),
            Filter("batch", frozenset(["true"])),
        )

    @pytest.mark.parametrize(
        "arguments",
        [("--sort", "-input_tokens"), ("--sort=-input_tokens",), ("--sort", "-input_tokens", "--per", "day")],
    )
    def test_sorted_descending(self, arguments: tuple[str, ...]) -> None:
        assert view(*arguments).order == (SortKey("input_tokens", descending=True),)

    def test_all_metrics(self) -> None:
        data = DATASETS["images"]
        parsed = view("--dataset", "images", "--metrics", "all")
        assert parsed.columns == tuple(column.name for column in data.columns)

    def test_filter_value_may_contain_special_characters(self) -> None:
        assert view("--filter", "model=a=b,c !=d").filters == (Filter("model", frozenset(["a=b,c !=d"])),)

    @pytest.mark.parametrize(("given", "lacking"), [("--from", "--to"), ("--to", "--from")])
    def test_range_is_required(self, given: str, lacking: str) -> None:
        with pytest.raises(InputError, match=f"required: {lacking}$"):
            parse_view(build_parser().parse_args(["table", given, "2026-10-01"]))

    @pytest.mark.parametrize(
        ("arguments", "title", "hint"),
        [
            (("--per", "fortnight"), "Unknown period", "minute, hour, day, week, month, total"),
            (("--dataset", "emails"), "There is no such dataset", "completions"),
            (("--group-by", "colour"), "Completions can't be grouped or filtered by colour", "project_id"),
            (("--group-by", "model,model"), "Duplicate name", "once"),
            (("--metrics", "money"), "Completions has no figure called money", "input_tokens"),
            (("--filter", "model"), "This filter is invalid", "model=gpt-5"),
            (("--filter", "=x"), "This filter is invalid", "model=gpt-5"),
            (("--filter", "colour=red"), "Completions can't be grouped or filtered by colour", "project_id"),
            (("--filter", "batch=maybe"), "batch must be true or false", "batch=true"),
            (("--filter", "model=a", "--filter", "model!=b"), "model is both included and excluded", "="),
            (("--sort", "-colour"), "The table can only be sorted by a column that it shows", "num_model_requests"),
            (("--sort", "period"), "The table can only be sorted by a column that it shows", "input_tokens"),
            (("--format", "pdf"), "The command is invalid", "usage: usage-viewer table"),
            (("--colour", "red"), "The command is invalid", "usage: usage-viewer"),
            (("--sort",), "The command is invalid", "usage: usage-viewer table"),
        ],
    )
    def test_invalid_arguments_are_refused(self, arguments: tuple[str, ...], title: str, hint: str) -> None:
        error = refused(*arguments)
        assert error.title == title
        assert hint in error.hint

    def test_table_with_periods_can_be_sorted_by_period(self) -> None:
        assert view("--per", "day", "--sort", "-period").order == (SortKey("period", descending=True),)
        assert "(period is the time)" in refused("--per", "day", "--sort", "colour").hint


class TestMoment:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-10-01", datetime(2026, 10, 1)),
            ("2026-10-01T14:00", datetime(2026, 10, 1, 14)),
            ("2026-10-01 14:37", datetime(2026, 10, 1, 14, 37)),
            ("2026-10-01T14:00:00Z", datetime(2026, 10, 1, 14)),
            ("2026-10-01T14:00+02:00", datetime(2026, 10, 1, 12)),
            ("2026-10-01T00:30-05:30", datetime(2026, 10, 1, 6)),
            ("1971-01-01", datetime(1971, 1, 1)),
            ("2199-12-31", datetime(2199, 12, 31)),
        ],
    )
    def test_iso_times_are_converted_to_utc(self, text: str, expected: datetime) -> None:
        assert parse_moment(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            *("", "yesterday", "2026-13-01", "2026-02-30", "01.10.2026", "2026-10-01T25:00", "9999999999"),
            *("1970-12-31", "2200-01-01", "9999-12-31T23:59", "0001-01-01T00:00+23:00", "2026-10-01T14:00:01"),
            *("2026-10-01T14:00:00.5", "2026-10-01T14:00+02:00:30", "\x00", "２０２６-10-01"),
        ],
    )
    def test_other_texts_are_refused(self, text: str) -> None:
        with pytest.raises(InputError) as raised:
            parse_moment(text)
        assert raised.value.hint

    def test_end_must_be_after_the_start(self) -> None:
        for end in ("2026-10-01", "2026-09-30"):
            with pytest.raises(InputError, match="The range is empty"):
                parse_view(build_parser().parse_args(["table", "--from", "2026-10-01", "--to", end]))


class TestOptions:
    @pytest.mark.parametrize("name", ["--base-url", "--profile", "--data-dir"])
    def test_common_options_are_allowed_before_and_after_the_command(self, name: str) -> None:
        attribute = name.removeprefix("--").replace("-", "_")
        before = build_parser().parse_args([name, "x", "table", *RANGE])
        after = build_parser().parse_args(["table", name, "x", *RANGE])
        both = build_parser().parse_args([name, "y", "table", name, "x", *RANGE])
        assert {str(getattr(arguments, attribute)) for arguments in (before, after, both)} == {"x"}

    @pytest.mark.parametrize("name", ["--demo", "--verbose"])
    def test_switches_are_allowed_before_and_after_the_command(self, name: str) -> None:
        for words in ([name, "table", *RANGE], ["table", name, *RANGE]):
            assert getattr(build_parser().parse_args(words), name.removeprefix("--")) is True
        assert getattr(build_parser().parse_args(["table", *RANGE]), name.removeprefix("--")) is False

    def test_no_command_means_the_window(self) -> None:
        arguments = build_parser().parse_args([])
        assert (arguments.command, arguments.base_url, arguments.demo) == (None, None, False)

    def test_no_option_takes_a_key(self) -> None:
        named = {option for option in options(help_of("table")) | options(help_of()) if "key" in option}
        assert named == {"--key-stdin"}
        with pytest.raises(InputError):
            build_parser().parse_args(["table", "--from", "2026-10-01", "--to", "2026-10-02", "--key-stdin=sk-x"])


class TestHelp:
    def test_help_of_the_program_lists_every_option(self) -> None:
        assert options(help_of()) >= {"--help", "--version", "--snapshot", *COMMON}
        assert "table" in help_of()

    def test_help_of_table_lists_every_option_and_choice(self) -> None:
        text = help_of("table")
        assert options(text) >= {"--help", *COMMON, *OWN}
        for name in (*Granularity, *FORMATS, *DATASETS, "OPENAI_ADMIN_KEY"):
            assert name in text

    @pytest.mark.parametrize("command", [(), ("table",)])
    def test_every_option_is_explained(self, command: tuple[str, ...]) -> None:
        described = help_of(*command).partition("options:")[2]
        for block in described.replace("\n  -", "\f-").split("\f")[1:]:
            assert len(block.split()) > 3, block


def help_of(*command: str) -> str:
    top = build_parser()
    if not command:
        return top.format_help()
    (chosen,) = [action for action in top._actions if action.dest == "command"]
    assert isinstance(chosen.choices, dict)
    text = chosen.choices[command[0]].format_help()
    assert isinstance(text, str)
    return text


def options(text: str) -> set[str]:
    return {word.strip("[],") for word in text.split() if word.strip("[],").startswith("--")}
