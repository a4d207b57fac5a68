"""`python -m benchwarden` is the same program as the `benchwarden` command."""

from benchwarden.cli.app import main

if __name__ == "__main__":
    main()
