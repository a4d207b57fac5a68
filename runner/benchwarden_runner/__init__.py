"""The part of benchwarden that runs inside benchmark images: standard library only, Python >= 3.9."""

__version__ = "0.1.0"
