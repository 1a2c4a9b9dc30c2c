"""Sorting mail: a folder of pictures into bins, by a plan, each piece once, with a ledger."""
