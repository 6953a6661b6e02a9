"""The globals of browsers that Go programs use, a module for each or for a few that belong together."""
