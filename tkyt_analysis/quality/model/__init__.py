"""The count model: what each value should have been, whether it is an error, and which one."""
