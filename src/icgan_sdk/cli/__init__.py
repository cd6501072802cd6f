"""The command `icgan`: parses, calls the library, prints."""
