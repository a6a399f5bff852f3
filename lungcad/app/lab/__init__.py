"""What the Lab page draws, and the trainings that it begins."""
