"""Which segments are shown in which sample: random, and balanced.

Samples by coin flips show some segments more often together than others, so that the weight of one blurs another's. In a Hadamard design every pair of
segments is shown together, apart and hidden together equally often (Plackett & Burman, "The design of optimum multifactorial experiments", Biometrika
1946), so that fewer samples tell them apart. Signs and order are drawn anew for each block, so each sample by itself is still a row of fair coin flips.
"""

import numpy as np
from scipy.linalg import hadamard


def rows_of_block(n_segments: int) -> int:
    """Samples of a whole balanced block: the least power of two that is no less than the number of segments."""
    return 1 << max(n_segments - 1, 1).bit_length()


def balanced_masks(rng: np.random.RandomState, n: int, n_segments: int) -> np.ndarray:
    """(n, segments), int, 1 where a segment is shown; every :func:`rows_of_block` rows from the first are a balanced block."""
    rows = rows_of_block(n_segments)
    shown = hadamard(rows) > 0
    blocks = []
    for _ in range(-(-n // rows)):
        columns, exchanged = rng.permutation(rows)[:n_segments], rng.randint(0, 2, n_segments).astype(bool)
        blocks.append(shown[rng.permutation(rows)][:, columns] ^ exchanged)
    return np.concatenate(blocks)[:n].astype(int)
