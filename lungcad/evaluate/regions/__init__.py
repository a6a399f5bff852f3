"""What a network's answers rest on: the same network on images with a region taken away, or left alone."""
