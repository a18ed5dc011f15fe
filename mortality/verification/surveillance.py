"""EuroMOMO and Farrington–Noufaily beside their own programs."""
