"""What the Metrics page draws."""
