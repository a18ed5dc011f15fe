"""`python -m tkyt_analysis` is the command `tkyt`."""

from tkyt_analysis.cli import main

if __name__ == "__main__":
    main()
