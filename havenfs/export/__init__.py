"""Any open_clip model to a model directory: towers to ONNX, to int8, and how far they agree with the original."""
