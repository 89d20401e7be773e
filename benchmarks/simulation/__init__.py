"""What the simulator and the check for copies are worth."""
