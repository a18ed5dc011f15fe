"""Quality of ages beside published results."""
