"""Cases: what becomes of a finding from run to run, who was asked, what the unit said, and whether that was accepted."""
