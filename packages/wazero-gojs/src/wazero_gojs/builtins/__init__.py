"""The globals of ECMAScript, a module for each or for a few that belong together."""
