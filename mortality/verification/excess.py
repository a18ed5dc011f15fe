"""Expected and excess deaths beside excessmort."""
