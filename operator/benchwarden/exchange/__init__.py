"""Results in other people's formats: written so that their tools read them, read back without a loss where possible."""
