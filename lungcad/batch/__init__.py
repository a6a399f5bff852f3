"""One network over more images than one sitting or one machine holds: a plan in shards, a Parquet file a shard, an engine that makes them."""

from lungcad.batch import answers, index, trust  # noqa: F401  they fill the table of works
from lungcad.batch.engines import ENGINES, Pool
from lungcad.batch.plan import Question
from lungcad.batch.run import Summary, run_batch
from lungcad.batch.work import WORK

__all__ = ["ENGINES", "WORK", "Pool", "Question", "Summary", "run_batch"]
