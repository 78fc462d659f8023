"""Problem set 2: the recurrent cell."""
