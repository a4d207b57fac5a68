"""Properties here import scipy and statsmodels on first use, so a time limit per example means nothing."""

from hypothesis import settings

settings.register_profile("statistics", deadline=None)
settings.load_profile("statistics")
