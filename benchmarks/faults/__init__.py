"""What is left when something goes wrong: a killed run, an interrupted range test."""
