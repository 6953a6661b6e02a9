"""What `eval` and `new Function` need: JavaScript from text to Python closures.

    text → lexer (tokens) → parser (nodes) → compiler (closures over a frame of variables) → run

Imports `model` and the built-in classes that it finds through the realm; only imported when a guest uses `eval`.
"""
