"""One network over more images than one sitting or one machine holds: a plan in shards, a Parquet file a shard, an engine that answers them."""

from lungcad.batch.engines import ENGINES, Pool
from lungcad.batch.plan import Question
from lungcad.batch.run import Summary, run_batch

__all__ = ["ENGINES", "Pool", "Question", "Summary", "run_batch"]
