"""Sorting what was read: what is certain goes on, what is doubtful goes to a person."""
