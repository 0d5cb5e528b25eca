"""The table: model, view, header, totals and menus."""
