"""The mount beside the disk and its peers: what `bench_mount.py` mounts, measures and prints."""
