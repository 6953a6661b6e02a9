"""The API: wazero's, in Python style. Puts decoder, validator, store and engines together."""
