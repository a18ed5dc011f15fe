"""The WHO desk review 1a–4b: each metric a pure function on tables; see docs/desk_review.md."""
