"""The coder's screen and what is learnt from coders: choices, learnt dictionary entries, queue, double coding."""
