"""What the Predict page draws."""
