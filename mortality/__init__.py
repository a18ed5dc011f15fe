"""Community deaths and their causes: a module of the TKYT workbench."""
