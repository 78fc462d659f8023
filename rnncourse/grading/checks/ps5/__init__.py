"""Problem set 5: long short-term memory."""
