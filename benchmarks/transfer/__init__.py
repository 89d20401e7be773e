"""What pretrained weights are worth on real radiographs."""
