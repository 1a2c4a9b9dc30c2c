"""Sorting mail: what is certain into bins, each piece once; what is doubtful to a person."""
