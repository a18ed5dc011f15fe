"""Outlier rules of other tools, each as published and under its own name, so that ours can be compared with them."""
