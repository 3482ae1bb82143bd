"""What a deployment is set up with: one credential for each program and person, each for its own job only."""
