"""The composition root: reads the arguments, builds the objects, runs the window or the table."""

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from usage_viewer.app.file_permissions import disable_core_dumps, restrict_permissions
from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.cli.error_output import write_error
from usage_viewer.domain.admin_key import AdminKey, KeyFilter
from usage_viewer.domain.errors import InputError, SnapshotError, UsageViewerError

if TYPE_CHECKING:
    from argparse import Namespace

    from usage_viewer.app.profile.organizations import Organization
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.demo.server.child import DemoProcess
    from usage_viewer.gui.startup.application import Begun

# Whatever takes long to import is imported where it is needed: the last look is painted before.


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program; returns its exit status. `argv` None: the process is its own, with its arguments."""
    if argv is None:
        _mask_unexpected()
    disable_core_dumps()
    begun = _begin(sys.argv[1:] if argv is None else argv)
    from usage_viewer.cli.arguments import build_parser

    try:
        arguments = build_parser().parse_args(argv)
        _log_to_stderr(arguments.verbose)
        place, organization = _chosen_place(arguments)
        base_url = _base_url(arguments.base_url or organization.base_url or None)
        _check_ca_file(arguments.ca_file)
        if arguments.demo and arguments.open is not None:
            raise InputError(title="--demo and --open exclude each other", hint="Give one of them.")
    except InputError as error:
        write_error(error, sys.stderr)
        return 2
    restrict_permissions(place.data_dir)
    if arguments.command == "table":
        return _run_table(arguments, place, base_url)
    if arguments.command == "forget":
        return _run_forget(arguments, place, organization)
    return _run_window(arguments, place, base_url, organization, begun)


def _begin(argv: Sequence[str]) -> "Begun | None":
    """Where nothing but the window is asked for: its last look, at once."""
    if argv and (len(argv) != 2 or argv[0] != "--data-dir"):
        return None
    from usage_viewer.gui.startup.application import begin

    return begin(Path(argv[1]).absolute() if argv else default_data_dir().absolute())


def _run_table(arguments: "Namespace", place: ProfilePaths, base_url: str) -> int:
    from usage_viewer.cli.table import run

    if arguments.open is not None:
        from usage_viewer.app.snapshot.archive import SnapshotProfile

        try:
            return run(arguments, SnapshotProfile(arguments.open))
        except SnapshotError as error:
            write_error(error, sys.stderr)
            return 1
    if not arguments.demo:
        return run(arguments, _profile(arguments, place, base_url, stored=not arguments.no_store))
    try:
        demo = open_demo()
    except UsageViewerError as error:
        write_error(error, sys.stderr)
        return 1
    try:
        return run(arguments, demo.profile)
    finally:
        demo.close()


def _run_forget(arguments: "Namespace", place: ProfilePaths, organization: "Organization") -> int:
    from usage_viewer.cli.forget import run_forget
    from usage_viewer.keystore import open_keystore

    return run_forget(arguments, place, organization, open_keystore, ask=input, err=sys.stderr)


def _run_window(
    arguments: "Namespace", place: ProfilePaths, base_url: str, organization: "Organization", begun: "Begun | None"
) -> int:
    from usage_viewer.gui.startup.application import Launch, run

    return run(
        Launch(
            profile=_profile(arguments, place, base_url, label=organization.label),
            place=place,
            open_demo=open_demo,
            make_profile=_maker(arguments, place, base_url),
            erase_all=lambda: _erase_all(place),
            demo=arguments.demo,
            snapshot=arguments.snapshot,
            open=arguments.open,
        ),
        begun,
    )


def _erase_all(place: ProfilePaths) -> list[UsageViewerError]:
    from usage_viewer.app.erase_all import erase_all
    from usage_viewer.keystore import open_keystore

    return erase_all(place.data_dir, open_keystore)


def _profile(
    arguments: "Namespace", place: ProfilePaths, base_url: str, *, label: str = "", stored: bool = True
) -> "Profile":
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.keystore import open_keystore

    return Profile(
        place.profile,
        label=label,
        base_url=base_url,
        database=place.database if stored else None,
        keystore=lambda: open_keystore(place.profile, use_environment=True),
        ca_file=arguments.ca_file,
    )


def _maker(arguments: "Namespace", place: ProfilePaths, base_url: str) -> "Callable[[Organization], Profile]":
    """Makes the profile of any organization. What the arguments and the environment say of server and key is for
    the one that the program was started with: another one's data must never come from there.
    """

    from usage_viewer.app.profile.profile import Profile

    def make(one: "Organization") -> Profile:
        if one.id == place.profile:
            return _profile(arguments, place, base_url, label=one.label)
        from usage_viewer.keystore import open_keystore

        return Profile(
            one.id,
            label=one.label,
            base_url=_base_url(one.base_url or None),
            database=ProfilePaths(place.data_dir, one.id).database,
            keystore=lambda: open_keystore(one.id),
            ca_file=arguments.ca_file,
        )

    return make


def _chosen_place(arguments: "Namespace") -> "tuple[ProfilePaths, Organization]":
    """Where the data of the organization that is asked for is: by id or name; in the window without one, the one
    looked at last. Raises InputError.
    """
    from usage_viewer.app.profile.organizations import DEFAULT, find_id, with_id
    from usage_viewer.app.settings.settings import organizations_of

    data_dir = (arguments.data_dir or default_data_dir()).absolute()
    listed, last = organizations_of(ProfilePaths(data_dir).settings)
    if arguments.profile is not None:
        id = find_id(listed, arguments.profile)
    else:
        id = last if arguments.command is None and any(one.id == last for one in listed) else DEFAULT
    place = ProfilePaths(data_dir, id)
    return place, next(one for one in with_id(listed, id) if one.id == id)


@dataclass(frozen=True)
class Demo:
    """The synthetic organization: its server runs in a process of its own until `close`."""

    profile: "Profile"
    server: "DemoProcess"

    def close(self) -> None:
        self.server.close()


def open_demo() -> Demo:
    """Starts the stand-in server on loopback; the same client looks at it, the keyring aside."""
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.demo.server.child import start_demo
    from usage_viewer.keystore import MemoryKeystore

    server = start_demo()
    key = AdminKey.parse(server.key)
    profile = Profile(
        "demo",
        base_url=server.base_url,
        database=None,
        keystore=lambda: MemoryKeystore(key, description="The demo needs no key of yours."),
    )
    return Demo(profile, server)


def _base_url(text: str | None) -> str:
    from usage_viewer.app.fetch.api_source import OFFICIAL_URL

    if text is None:
        return OFFICIAL_URL
    from usage_viewer.api import check_base_url

    return check_base_url(text)


def _check_ca_file(ca_file: Path | None) -> None:
    if ca_file is not None:
        from usage_viewer.api import check_ca_file

        check_ca_file(ca_file)


def _log_to_stderr(verbose: bool) -> None:
    handler = logging.StreamHandler()
    handler.addFilter(KeyFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler])


def _mask_unexpected() -> None:
    """What Python itself would print of an error that nobody expected, with keys masked."""
    sys.excepthook = _log_unexpected
    threading.excepthook = lambda end: _log_unexpected(end.exc_type, end.exc_value, end.exc_traceback)


def _log_unexpected(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, SystemExit):
        return
    logging.getLogger(__name__).critical("unexpected error", exc_info=(kind, error or kind(), trace))


if __name__ == "__main__":
    sys.exit(main())
