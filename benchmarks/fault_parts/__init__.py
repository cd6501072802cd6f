"""The parts of the campaign of faults, one file each."""
