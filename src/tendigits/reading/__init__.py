"""Digits off real pictures: the ink, its lines, the cuts, the best reading, the confidence."""

from tendigits.reading.reader import Reader, read

__all__ = ["Reader", "read"]
