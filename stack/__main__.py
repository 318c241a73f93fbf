"""`python -m stack` is the `sagamesh` command."""

from stack.cli import main

if __name__ == "__main__":
    main()
