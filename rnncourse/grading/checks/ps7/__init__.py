"""Problem set 7: deep and bidirectional networks, and a test for leaks."""
