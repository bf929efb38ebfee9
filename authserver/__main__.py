"""`python -m authserver`: the same as the command `authserver`."""

from authserver.cli import main

if __name__ == "__main__":
    main()
