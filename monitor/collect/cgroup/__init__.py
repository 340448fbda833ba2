"""Control groups: which there are, what they used, and what the containers among them are called."""
