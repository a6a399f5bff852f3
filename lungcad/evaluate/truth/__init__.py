"""Networks of which it is known what they use, and how methods and trust checks fare on them."""
