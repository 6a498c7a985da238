"""Parts of the benchmarks that run the whole indexer."""
