"""Standard error shows neither keys nor anything that a terminal would act on."""

import io

from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.keys import SECRET, TEXT, leaks
from usage_viewer.cli.error_output import CLEAR_LINE, GuardedOutput, write_error
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError


def written(*texts: str) -> str:
    stream = io.StringIO()
    output = GuardedOutput(stream)
    for text in texts:
        assert output.write(text) == len(text)
    return stream.getvalue()


def test_keys_are_masked() -> None:
    own, stream = AdminKey.parse(f"company/{SECRET}"), io.StringIO()
    GuardedOutput(stream).writelines([f"a company/{SECRET} b\n", SECRET, TEXT])
    assert not leaks(stream.getvalue())
    assert stream.getvalue().startswith("a …")
    assert own.reveal() == f"company/{SECRET}"


def test_everything_else_is_that_of_the_stream() -> None:
    stream = io.StringIO()
    assert GuardedOutput(stream).isatty() is stream.isatty()
    assert GuardedOutput(stream).closed is False


def test_progress_line_is_cleared() -> None:
    assert written(f"{CLEAR_LINE}Loading\x1b[2J") == f"{CLEAR_LINE}Loading␛[2J"


@given(st.text(st.sampled_from("ab \n\t\x1b\x07\x9b\u202e\r]0;m")), st.text(), st.text())
def test_no_control_character_reaches_the_terminal(title: str, detail: str, hint: str) -> None:
    stream = io.StringIO()
    write_error(InputError(detail, title=title, hint=hint), stream)
    for text in (stream.getvalue(), written(title, detail, hint)):
        assert visible(text.replace("\n", "").replace("\t", "").replace(CLEAR_LINE, "")) == text.replace(
            "\n", ""
        ).replace("\t", "").replace(CLEAR_LINE, "")
