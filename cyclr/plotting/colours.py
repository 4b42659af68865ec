"""Colours that every eye can tell apart: Okabe and Ito's (Color Universal Design, 2008)."""

__all__ = ["ON_ANY", "ON_DARK", "ON_LIGHT"]

# The first is for the learning rate or the loss, the second for the bounds.
ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
ON_DARK = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00")
ON_ANY = ("#2b8cc4", "#d96a1a", "#009E73", "#c46a9a", "#b8860b", "#7f7fd5")
