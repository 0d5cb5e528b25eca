"""Tests an organization that is served from another region: one button sets the server."""

from tests.rigs.window import User, WindowRig
from usage_viewer.demo.server.faults import Fault
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import MemoryKeystore

BODY = b'{"error": {"message": "Please make your request to eu.api.openai.com.", "code": "incorrect_hostname"}}'


def test_one_button_sets_the_server(rig: WindowRig, user: User) -> None:
    key = AdminKey.parse(rig.server.key)
    rig.others["default"] = lambda label: rig.profile(lambda: MemoryKeystore(key))
    rig.server.faults = lambda request: Fault(status=401, body=BODY)
    window = rig.start()
    assert window.page.banner.title == "This organization is served from eu.api.openai.com"
    rig.server.faults = None
    rig.settle(window, lambda: user.click(user.button("Use eu.api.openai.com", window.page.banner)))
    (organization,) = window.organizations.listed
    assert organization.base_url == "https://eu.api.openai.com/v1"
    assert window.page.model.table.rows
    assert window.error is None
