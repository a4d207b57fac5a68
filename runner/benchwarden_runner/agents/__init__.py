"""The agents: started in the work tree, watched, and reported on."""
