"""What an artifact is and will touch, read without running any of it."""
