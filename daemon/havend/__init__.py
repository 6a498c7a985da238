"""The service's programs: the mount, the indexer, their workers and the command line."""
