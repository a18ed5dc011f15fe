"""The ten steps of a review of mortality and cause-of-death data, for one place or for all provinces at once."""
