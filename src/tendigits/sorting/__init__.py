"""Sorting mail: what is certain goes into bins, each piece once; the doubtful to a person."""
