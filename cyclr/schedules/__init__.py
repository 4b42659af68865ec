"""What the learning rate is at an iteration."""
