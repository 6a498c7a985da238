"""From a parsed query to ranked hits with reasons: filters, words and pictures in one answer."""
