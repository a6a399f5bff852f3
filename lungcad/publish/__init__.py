"""What the project says of itself from its files: the tables of its READMEs, and the aims reached or missed."""
