"""Opens data: key, organization, snapshot, demo and erase, each with its controller and page or dialogs."""
