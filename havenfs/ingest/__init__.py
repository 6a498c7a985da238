"""How facts get in: from what is on disk to what the catalog knows."""
