"""What the front door draws."""
