"""Problem set 6: the GRU, in both of its forms, one step back, and weights from torch."""
