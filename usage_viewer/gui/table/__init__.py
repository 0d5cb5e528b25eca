"""Shows usage as a table: model, view, header, totals and menus."""
