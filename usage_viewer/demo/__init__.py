"""The demo: a local server that answers as the Usage API does, with the data of a synthetic organization."""
