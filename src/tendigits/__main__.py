"""`python -m tendigits` is the command `tendigits`."""

from tendigits.cli import main

if __name__ == "__main__":
    main()
