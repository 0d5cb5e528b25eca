"""The demo: a stand-in server of the organization Usage API over a synthetic organization."""
