"""The sample library: drawn scenes, people, receipts and documents, with the truth about each."""
