"""Every kind of map and chart on practice data, on pages to look at: what the workbench can draw, and proof that it draws well."""
