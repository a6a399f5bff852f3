"""What reading a damaged file of a store raises; whoever reads it says in one sentence which file, and how to make it anew."""

import pyarrow as pa

DAMAGED_JSON = (OSError, ValueError, RecursionError)
"""A missing file, bytes that are no text or no JSON; RecursionError for deep nesting."""
DAMAGED_TABLE = (OSError, ValueError, KeyError, TypeError, NotImplementedError, pa.ArrowException)
"""pandas and pyarrow: the first four by what is damaged, NotImplementedError for a type or codec that there is not."""
DAMAGED = (*DAMAGED_TABLE, *DAMAGED_JSON)
"""JSON beside a table."""
