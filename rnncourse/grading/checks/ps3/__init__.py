"""Problem set 3: backpropagation through time."""
