"""What reading a damaged file of a store raises; whoever reads it says in one sentence which file, and how to make it anew."""

import pyarrow as pa

from lungcad.stored_json import DAMAGED_JSON

DAMAGED_TABLE = (OSError, ValueError, KeyError, TypeError, NotImplementedError, pa.ArrowException)
"""pandas and pyarrow: the first four by what is damaged, NotImplementedError for a type or codec that there is not."""
DAMAGED = (*DAMAGED_TABLE, *DAMAGED_JSON)
"""JSON beside a table."""
