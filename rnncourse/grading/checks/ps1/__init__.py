"""Problem set 1: from text to arrays, and a language model that counts."""
