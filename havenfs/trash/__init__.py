"""The trash on disk: where removed originals lie until they are restored or purged. Knows disks, not decisions."""
