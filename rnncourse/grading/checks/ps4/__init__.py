"""Problem set 4: vanishing and exploding gradients."""
