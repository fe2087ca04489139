"""The adversarial game: compiled parts, one fused step."""
