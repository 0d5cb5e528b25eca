"""Starts the program: parses the arguments, builds the objects, and runs the window or a command."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, cast

from usage_viewer.app.file_permissions import disable_core_dumps, protect_memory, restrict_permissions
from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.cli.error_output import GuardedOutput, write_error
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, SnapshotError, UsageViewerError
from usage_viewer.domain.key_masking import KeyFilter

if TYPE_CHECKING:
    from argparse import Namespace

    from usage_viewer.app.chart import Chart, PictureOptions
    from usage_viewer.app.profile.organizations import Organization
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.app.profile.server import Server
    from usage_viewer.demo.server.child import DemoProcess
    from usage_viewer.domain.names import Names
    from usage_viewer.gui.startup.application import EarlyWindow
    from usage_viewer.keystore import Keystore

DEMO_SERVER = "demo-server"
"""The command that runs the demo's server, for the program itself: a frozen program has no other Python to run."""

# Modules that are slow to import are imported in functions: the window paints its saved table before that.


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status. With `argv` None, use the arguments of the process."""
    if argv is None:
        _guard_output()
    disable_core_dumps()
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] == DEMO_SERVER:
        protect_memory()
        from usage_viewer.demo.__main__ import run

        run(words[1:])
    begun = _begin(words)
    from usage_viewer.cli.arguments import build_parser

    try:
        arguments = build_parser().parse_args(argv)
        if arguments.command is not None:
            protect_memory()  # a window does so later, see `gui.startup.portal`
        _log_to_stderr(arguments.verbose)
        paths, organization = _choose_organization(arguments)
        server = _choose_server(arguments, organization)
        _check_ca_file(arguments.ca_file)
        if arguments.demo and arguments.open is not None:
            raise InputError(title="--demo and --open can't be combined", hint="Use either --demo or --open.")
        _check_truth(arguments)
        if getattr(arguments, "key_stdin", False) and (arguments.demo or arguments.open is not None):
            raise InputError(
                title="--key-stdin can't be combined with --demo or --open", hint="Neither needs a key."
            )
    except InputError as error:
        write_error(error, sys.stderr)
        return 2
    restrict_permissions(paths.data_dir)
    if arguments.command in ("table", "chart", "reconcile", "prices", "lines"):
        return _run_table(arguments, paths, server)
    if arguments.command == "views":
        from usage_viewer.cli import views

        return views.run(paths.saved_views)
    if arguments.command == "forget":
        return _run_forget(arguments, paths, organization)
    return _run_window(arguments, paths, server, organization, begun)


def _begin(argv: Sequence[str]) -> "EarlyWindow | None":
    """Paint the saved table at once, if the arguments only start the window; otherwise return None."""
    if argv and (len(argv) != 2 or argv[0] != "--data-dir" or not argv[1]):
        return None
    from usage_viewer.app.process_memory import use_one_arena
    from usage_viewer.gui.startup.application import show_startup_page

    use_one_arena()  # before Qt starts threads

    return show_startup_page(Path(argv[1]).absolute() if argv else default_data_dir().absolute())


def _runner(command: str) -> "Callable[[Namespace, Profile], int]":
    """Return the function that runs a command that prints; Qt is imported when a chart is drawn."""
    if command == "table":
        from usage_viewer.cli.table import run

        return run
    if command != "chart":
        from usage_viewer.cli.bill import run as run_bill

        return run_bill
    from usage_viewer.cli import chart

    def draw(content: "Chart", names: "Names", options: "PictureOptions") -> bytes:
        from usage_viewer.gui.chart.chart_export import draw

        return draw(content, names, options)

    return lambda arguments, profile: chart.run(arguments, profile, draw)


def _run_table(arguments: "Namespace", paths: ProfilePaths, server: "Server") -> int:
    run = _runner(arguments.command)
    if arguments.open is not None:
        from usage_viewer.app.snapshot.archive import SnapshotProfile

        try:
            return run(arguments, SnapshotProfile(arguments.open))
        except SnapshotError as error:
            write_error(error, sys.stderr)
            return 1
    if not arguments.demo:
        return _run_own_table(arguments, paths, server)
    try:
        demo = open_demo(arguments.truth)
    except UsageViewerError as error:
        write_error(error, sys.stderr)
        return 1
    try:
        return run(arguments, demo.profile)
    finally:
        demo.close()


def _run_own_table(arguments: "Namespace", paths: ProfilePaths, server: "Server") -> int:
    """Run `table` or `chart` on the organization's own data; the key may come from standard input."""
    key = None
    if arguments.key_stdin:
        from usage_viewer.cli.key_input import read_key

        try:
            key = read_key(sys.stdin)
        except InputError as error:
            write_error(error, sys.stderr)
            return 2
    run = _runner(arguments.command)
    return run(arguments, _build_profile(arguments, paths, server, stored=not arguments.no_store, key=key))


def _run_forget(arguments: "Namespace", paths: ProfilePaths, organization: "Organization") -> int:
    from usage_viewer.cli.forget import run_forget

    return run_forget(arguments, paths, organization, _keystores(paths), ask=input, err=sys.stderr)


def _keystores(paths: ProfilePaths) -> "Callable[[str], Keystore]":
    """Return a function that opens the keystore of any organization's id, to remove its keys for all servers."""
    from usage_viewer.app.fetch.api_source import OFFICIAL_URL
    from usage_viewer.app.key_scopes import key_scope
    from usage_viewer.keystore import open_keystore

    return lambda id: open_keystore(key_scope(ProfilePaths(paths.data_dir, id), OFFICIAL_URL))


def _run_window(
    arguments: "Namespace",
    paths: ProfilePaths,
    server: "Server",
    organization: "Organization",
    begun: "EarlyWindow | None",
) -> int:
    from usage_viewer.app.process_memory import use_one_arena
    from usage_viewer.gui.startup.application import run
    from usage_viewer.gui.workspace.app_context import AppContext, LaunchOptions

    use_one_arena()

    return run(
        AppContext(
            profile=_build_profile(arguments, paths, server, label=organization.label),
            paths=paths,
            make_profile=_profile_factory(arguments, paths, server, organization.base_url),
            open_demo=partial(open_demo, arguments.truth),
            forget_keys=lambda id: _keystores(paths)(id).forget(),
            erase_all=lambda: _erase_all(paths),
            options=LaunchOptions(arguments.demo, arguments.snapshot, arguments.open),
        ),
        begun,
    )


def _erase_all(paths: ProfilePaths) -> list[UsageViewerError]:
    from usage_viewer.app.erase_all import erase_all

    return erase_all(paths.data_dir, _keystores(paths))


def _build_profile(
    arguments: "Namespace",
    paths: ProfilePaths,
    server: "Server",
    *,
    label: str = "",
    stored: bool = True,
    environment: bool = True,
    key: AdminKey | None = None,
) -> "Profile":
    """Return a profile on this server; `environment` says whether a key in the environment may be used.

    `key` was read from standard input.
    """
    from usage_viewer.app.fetch.api_source import ConnectionOptions
    from usage_viewer.app.key_scopes import key_scope
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.keystore import open_keystore

    return Profile(
        paths.profile,
        label=label,
        base_url=server.base_url,
        database=paths.database if stored else None,
        keystore=lambda: open_keystore(
            key_scope(paths, server.base_url),
            environment_server=server.environment_server if environment else "",
            typed=key,
        ),
        connection=ConnectionOptions(ca_file=arguments.ca_file, server_note=server.note),
    )


def _profile_factory(
    arguments: "Namespace", paths: ProfilePaths, server: "Server", recorded: str
) -> "Callable[[Organization], Profile]":
    """Return a function that builds the profile of any organization.

    The server and the key in the arguments and the environment apply only to the organization that the program was
    started with: the data of another organization must never come from there. `recorded` is the server in the
    settings at the start; the user may have chosen another one since.
    """
    from usage_viewer.app.profile.server import recorded_server

    def build(one: "Organization") -> "Profile":
        if one.id == paths.profile and one.base_url == recorded:
            return _build_profile(arguments, paths, server, label=one.label)
        own_paths, own_server = ProfilePaths(paths.data_dir, one.id), recorded_server(one.base_url)
        environment = one.id == paths.profile
        return _build_profile(arguments, own_paths, own_server, label=one.label, environment=environment)

    return build


def _choose_organization(arguments: "Namespace") -> "tuple[ProfilePaths, Organization]":
    """Return the paths and the entry of the organization that the arguments name by id or label.

    Without `--profile`, the window opens the organization that was open last, and a command uses the default one.
    Raises InputError.
    """
    from usage_viewer.app.profile.data_directory import check_path
    from usage_viewer.app.profile.organizations import DEFAULT, find_id, with_id
    from usage_viewer.app.settings.settings import organizations_of

    data_dir = (arguments.data_dir or default_data_dir()).absolute()
    check_path(data_dir)
    organizations, last = organizations_of(ProfilePaths(data_dir).settings)
    if arguments.profile is not None:
        id = find_id(organizations, arguments.profile)
    else:
        id = last if arguments.command is None and any(one.id == last for one in organizations) else DEFAULT
    paths = ProfilePaths(data_dir, id)
    return paths, next(one for one in with_id(organizations, id) if one.id == id)


@dataclass(frozen=True)
class Demo:
    """Provides the synthetic organization; its server runs in a separate process until `close`."""

    profile: "Profile"
    server: "DemoProcess"

    def close(self) -> None:
        """Stop the server's process."""
        self.server.close()


def open_demo(truth: Path | None = None) -> Demo:
    """Start the stand-in server on the loopback address and return its profile.

    The profile uses the ordinary client, but keeps its key in memory. `truth` is the file to write what each part
    of the bill cost. Raises UsageViewerError.
    """
    from usage_viewer.app.fetch.api_source import ConnectionOptions
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.demo.server.child import start_demo
    from usage_viewer.keystore import MemoryKeystore

    server = start_demo(argv=demo_command(), truth=truth)
    key = AdminKey.parse(server.key)
    profile = Profile(
        "demo",
        base_url=server.base_url,
        database=None,
        keystore=lambda: MemoryKeystore(key, description="Demo: no key needed."),
        connection=ConnectionOptions(server_failure=server.failure),
    )
    return Demo(profile, server)


def demo_command() -> list[str]:
    """Return the command that runs the demo's server: this program, frozen or as a module of this Python."""
    is_frozen = getattr(sys, "frozen", False)
    return [sys.executable, DEMO_SERVER] if is_frozen else [sys.executable, "-m", "usage_viewer", DEMO_SERVER]


def _choose_server(arguments: "Namespace", organization: "Organization") -> "Server":
    """Return the server to fetch from; the demo and a snapshot do not need the environment's. Raises InputError."""
    from usage_viewer.app.profile.server import choose_server

    own_data = not arguments.demo and arguments.open is None
    return choose_server(arguments.base_url, os.environ if own_data else {}, organization.base_url)


def _check_truth(arguments: "Namespace") -> None:
    """Raise InputError for `--truth` without the demo, or in a folder that does not exist."""
    truth: Path | None = arguments.truth
    if truth is None:
        return
    if not arguments.demo:
        raise InputError(title="--truth needs --demo", hint="Only the sample organization knows its true costs.")
    if not truth.absolute().parent.is_dir():
        raise InputError(
            str(truth), title="The folder of the --truth file does not exist", hint="Choose an existing folder."
        )


def _check_ca_file(ca_file: Path | None) -> None:
    if ca_file is not None:
        from usage_viewer.api import check_ca_file

        check_ca_file(ca_file)


def _log_to_stderr(verbose: bool) -> None:
    handler = logging.StreamHandler()
    handler.addFilter(KeyFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler])


def _guard_output() -> None:
    """Mask keys and escape control characters in everything on standard error, also in uncaught errors."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # the process was started without it: the next file to be opened would take its place
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    sys.stderr = cast(TextIO, GuardedOutput(sys.stderr))
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, SystemExit):
        return
    logging.getLogger(__name__).critical("unexpected error", exc_info=(kind, error or kind(), trace))


if __name__ == "__main__":
    sys.exit(main())
