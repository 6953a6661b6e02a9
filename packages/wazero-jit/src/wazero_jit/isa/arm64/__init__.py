"""arm64 (AArch64), calling convention AAPCS64. A slice: what it cannot do yet raises UnsupportedError."""
