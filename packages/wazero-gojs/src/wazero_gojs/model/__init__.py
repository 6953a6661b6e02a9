"""JavaScript's values and objects, as ECMAScript has them, without any of its syntax. Imports nothing of what stands on it."""
