"""Convert an ONNX model to an INT8 .rknn."""
