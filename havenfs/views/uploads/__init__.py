"""New bytes in folders of answers, from the first write to the name among the originals; and what is nobody's file."""
