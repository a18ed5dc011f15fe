"""The TKYT workbench: health statistics of Viet Nam, from received files to published figures."""

__version__ = "0.1.0"
