"""Single records of deaths: as written, what was made of them and how, and which were replaced by a corrected one."""
